/** What a consumer remembers of Upbeat's messages: open offers and access, right in any order of delivery.
 *
 * It is in memory here, so that the example needs no database. Keep it in yours: note a message as seen and apply it in
 * one transaction, as the Python example does.
 */
import type { SubscriptionChange } from "./contracts/subscription-change.js";
import type { UpsellTrigger } from "./contracts/upsell-trigger.js";

export type Message =
  | { topic: "upsell-trigger"; body: UpsellTrigger }
  | { topic: "subscription-change"; body: SubscriptionChange };

export interface Offer {
  placement: string;
  offer_id: string;
  trigger_id: string;
}

export class Inbox {
  private readonly seen = new Set<string>();
  private readonly issued = new Map<string, UpsellTrigger>();
  private readonly revoked = new Set<string>();
  private readonly newest = new Map<string, SubscriptionChange>();

  /** Applies a message. Returns false if it was applied before. */
  apply(message: Message): boolean {
    if (this.seen.has(message.body.message_id)) return false;
    this.seen.add(message.body.message_id);
    if (message.topic === "upsell-trigger") this.applyTrigger(message.body);
    else this.applyChange(message.body);
    return true;
  }

  /** The offers to show a user at an instant, the newest first: the greater `sequence` is the newer. */
  offers(userId: string, now: Date): Offer[] {
    return [...this.issued.values()]
      .filter((offer) => offer.user_id === userId && !this.revoked.has(offer.trigger_id))
      .filter((offer) => new Date(offer.expires_at) > now)
      .sort((one, other) => other.sequence - one.sequence)
      .map(({ placement, offer_id, trigger_id }) => ({ placement, offer_id, trigger_id }));
  }

  /** Whether the user may listen, by the newest message about the user. */
  hasAccess(userId: string): boolean {
    return this.newest.get(userId)?.user_entitled ?? false;
  }

  /** Everybody of whom something is known. */
  users(): string[] {
    const ofOffers = [...this.issued.values()].map((offer) => offer.user_id);
    return [...new Set([...ofOffers, ...this.newest.keys()])].sort();
  }

  /** `revoked` is final, also if `issued` comes after it. */
  private applyTrigger(trigger: UpsellTrigger): void {
    if (trigger.kind === "revoked") this.revoked.add(trigger.trigger_id);
    else this.issued.set(trigger.trigger_id, trigger);
  }

  private applyChange(change: SubscriptionChange): void {
    const known = this.newest.get(change.user_id);
    if (!known || change.sequence > known.sequence) this.newest.set(change.user_id, change);
  }
}
