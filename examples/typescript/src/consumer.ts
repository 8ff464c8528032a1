/** Receives offers and access from Upbeat: `npm start -- --create`, then `npm start`.
 *
 * The project and the emulator come from GOOGLE_CLOUD_PROJECT and PUBSUB_EMULATOR_HOST, as for every client of Google.
 */
import { parseArgs } from "node:util";
import { PubSub, v1 } from "@google-cloud/pubsub";
import { Inbox, type Message } from "./inbox.js";

type ClientOptions = ConstructorParameters<typeof v1.SubscriberClient>[0];

const TOPICS = ["upsell-trigger", "subscription-change"] as const;
const ALREADY_EXISTS = 6; // https://grpc.io/docs/guides/status-codes/
const DEADLINE_EXCEEDED = 4;
const PULL_MILLISECONDS = 4000;

/** Creates the subscriptions. In production, Terraform or the owner of the project does this once. */
async function create(pubsub: PubSub): Promise<void> {
  for (const topic of TOPICS) {
    try {
      await pubsub.topic(topic).createSubscription(`${topic}-example-ts`);
      console.log(`created ${topic}-example-ts`);
    } catch (error) {
      if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
      console.log(`${topic}-example-ts exists`);
    }
  }
}

/** Applies messages until none has come for so long. A message is acknowledged once it is applied.
 *
 * It asks again and again (a pull), because a stream that ended keeps messages of the emulator for a minute.
 */
async function receive(pubsub: PubSub, inbox: Inbox, idleSeconds: number): Promise<void> {
  const client = new v1.SubscriberClient((await pubsub.getClientConfig()) as ClientOptions);
  let last = Date.now();
  while (Date.now() - last < idleSeconds * 1000) {
    for (const topic of TOPICS) {
      const subscription = client.subscriptionPath(pubsub.projectId, `${topic}-example-ts`);
      for (const { ackId, message } of await pull(client, subscription)) {
        inbox.apply({ topic, body: JSON.parse(Buffer.from(message?.data ?? "").toString()) } as Message);
        await client.acknowledge({ subscription, ackIds: [ackId ?? ""] });
        last = Date.now();
      }
    }
  }
  await client.close();
}

/** The messages that wait, none if the time limit passes. */
async function pull(client: v1.SubscriberClient, subscription: string) {
  try {
    const [answer] = await client.pull({ subscription, maxMessages: 100 }, { timeout: PULL_MILLISECONDS, maxRetries: 0 });
    return answer.receivedMessages ?? [];
  } catch (error) {
    if ((error as { code?: number }).code === DEADLINE_EXCEEDED) return [];
    throw error;
  }
}

const { values } = parseArgs({
  options: { create: { type: "boolean" }, "idle-seconds": { type: "string", default: "8" } },
});
const pubsub = new PubSub({ projectId: process.env["GOOGLE_CLOUD_PROJECT"] });
if (values.create) {
  await create(pubsub);
} else {
  const inbox = new Inbox();
  await receive(pubsub, inbox, Number(values["idle-seconds"]));
  for (const user of inbox.users()) {
    const offers = inbox.offers(user, new Date());
    console.log(JSON.stringify({ user, access: inbox.hasAccess(user), offers }));
  }
}
await pubsub.close();
