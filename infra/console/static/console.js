// Makes pages follow what happens. Every page works without it, by loading it again.
"use strict";

const MOST_LINES = 200;

// A list of messages: new ones come at the top, old ones leave at the bottom. While it is paused or out of sight,
// it holds no connection; afterwards it goes on from where it was.
function follow(section) {
  const list = section.querySelector("ol");
  const status = section.querySelector("[data-status]");
  const button = section.querySelector("[data-pause]");
  const empty = section.querySelector("[data-empty]");
  let place = section.dataset.place;
  let source = null;
  let paused = false;

  const say = (text) => { if (status.textContent !== text) status.textContent = text; };
  const show = (event) => {
    place = event.lastEventId;
    list.insertAdjacentHTML("afterbegin", event.data);
    while (list.children.length > MOST_LINES) list.lastElementChild.remove();
    empty.hidden = list.children.length > 0;
  };
  const connect = () => {
    if (source || paused || document.hidden) return;
    source = new EventSource(`${section.dataset.stream}&after=${encodeURIComponent(place)}`);
    source.onopen = () => say("Following: new messages appear at the top.");
    source.onerror = () => say("The connection is lost; trying again.");
    source.addEventListener("lines", show);
    source.addEventListener("anew", (event) => { list.replaceChildren(); show(event); });
  };
  const disconnect = () => {
    source?.close();
    source = null;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Go on" : "Pause";
    if (paused) say("Paused.");
    paused ? disconnect() : connect();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pagehide", disconnect);
  connect();
}

document.querySelectorAll("[data-stream]").forEach(follow);
