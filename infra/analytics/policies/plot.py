"""A season as a picture: what is captured and what is lost, as one HTML page with SVG, which needs no network."""

import altair as alt
import vl_convert

from infra.analytics.policies.seasons import Seasons
from infra.html_page import document, heading, paragraph


def page(seasons: Seasons) -> str:
    """The page."""
    season = seasons.season
    rates = ", ".join(f"{arm} {rate:g}" for arm, rate in season.rates.items())
    delay = f"{season.delay:,} decisions later{' on average' if season.is_spread else ''}"
    terms = (
        f"Arms with the rates {rates}; a floor of {season.floor:.0%}; refreshed every {season.every:,} decisions; "
        f"outcomes known {delay if season.delay else 'at once'}; mean of {len(seasons.lost)} seeds."
    )
    body = (
        paragraph(terms),
        heading("Captured of the way from equal shares to always giving the best arm"),
        _svg(_line(seasons, "captured", [*map(float, seasons.captured)], "%")),
        heading("Successes lost against always giving the best arm"),
        _svg(_line(seasons, "lost", [*map(float, seasons.lost.mean(axis=0))], "~s")),
    )
    return document("Policy season", body)


def _line(seasons: Seasons, name: str, values: list[float], digits: str) -> alt.Chart:
    points = [
        {"decisions": int(number), name: value} for number, value in zip(seasons.decisions, values, strict=True)
    ]
    return (
        alt.Chart(alt.Data(values=points))
        .mark_line()
        .encode(
            x=alt.X("decisions:Q", axis=alt.Axis(format="~s")),
            y=alt.Y(f"{name}:Q", axis=alt.Axis(format=digits)),
        )
        .properties(width=640, height=240)
    )


def _svg(chart: alt.Chart) -> str:
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))
