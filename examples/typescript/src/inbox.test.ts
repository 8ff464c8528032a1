import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Inbox, type Message } from "./inbox.js";

const EXAMPLES = new URL("../../../docs/contracts/examples/", import.meta.url);
const NOW = new Date("2026-04-16T12:00:00Z");

function example(topic: Message["topic"], name: string): Message {
  return { topic, body: JSON.parse(readFileSync(new URL(`${topic}/${name}.json`, EXAMPLES), "utf8")) } as Message;
}

function orders<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}

const issued = example("upsell-trigger", "issued");
const revoked = example("upsell-trigger", "revoked");
const change = example("subscription-change", "failed");
const later = {
  topic: change.topic,
  body: { ...change.body, message_id: "later", sequence: change.body.sequence + 1, user_entitled: false },
} as Message;

test("an offer is shown until it is revoked", () => {
  const inbox = new Inbox();
  inbox.apply(issued);
  assert.deepEqual(inbox.offers("u-1001", NOW).map((offer) => offer.offer_id), ["one_month_half_price"]);
  assert.deepEqual(inbox.offers("u-1001", new Date("2026-05-01T00:00:00Z")), [], "it has expired");
  inbox.apply(revoked);
  assert.deepEqual(inbox.offers("u-1001", NOW), []);
});

test("every order of delivery, with everything twice, leads to the same state", () => {
  for (const order of orders([issued, revoked, change, later])) {
    const inbox = new Inbox();
    assert.equal(order.every((message) => inbox.apply(message)), true);
    assert.equal(order.some((message) => inbox.apply(message)), false, "it was applied before");
    assert.deepEqual(inbox.offers("u-1001", NOW), []);
    assert.equal(inbox.hasAccess("u-1001"), false);
  }
});
