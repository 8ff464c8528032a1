-- description: "Offers issued and revoked: each message once, by `message_id`, the first that landed."
-- materialized: incremental
-- partition: publish_date
-- unique: [message_id]
-- lookback: 0
-- require_partition_filter: true
-- cluster: [user_id]
-- tests:
--   not_null: [user_id, decided_at]
--   accepted_values:
--     kind: [issued, revoked]
-- columns:
--   message_id: "The id of the message: the same whenever it is delivered again."
--   user_id: The user whom the message is about.
--   sequence: "Grows with every message about the user: the message with the greater number is newer."
--   decided_at: When Upbeat processed the event (UTC).
--   kind: "`issued`: show the offer until `expires_at`."
--   offer_id: The offer to show, as the catalog names it.
--   expires_at: The instant (UTC) from which the offer must not be shown any more.
--   cms_ref: "For `issued`: the offer's entry in the CMS."
--   price_ref: "For `issued`: the offer's price in another system."
--   plan_to: "For `issued`: the plan to which the offer leads."
--   revoke_reason: "For `revoked`: the reason why."
--   trigger_id: "The id of the trigger: the same in every message about it, even if it is decided again."
--   decision_id: The `decision_id` of the `decision` that made it.
--   subscription_id: The subscription that the trigger is about.
--   campaign_id: The campaign that made the offer.
--   placement: The place where the offer is shown, as the catalog names it.
--   channel: The delivery channel of the placement, such as `email` or `in_app`.
--   moment: The event in the subscription's life that the campaign reacted to.
--   moment_at: When that moment occurred (UTC); unknown for a trigger decided before it was kept.
--   offset: "The offset of a milestone, in days or hours: `3d`, `36h`; null for another moment."
--   cause: The id of the one occurrence of that moment.
--   catalog_version: The version of the catalog that was in force.
--   experiment_id: The experiment that the campaign takes part in; null if there is none.
--   variant: The variant of that experiment that the user is in.
--   propensity: The probability with which that variant was chosen.
--   policy_version: The version of the policy that set the probability; null for fixed weights.
--   score: The score that ranked the campaign, 0 to 1; null if no score ranks it.
--   score_version: The version of that score.
--   follows: "For a moment of feedback: the `trigger_id` of the earlier trigger that it follows."
--   event_topic: The topic of the event that led to the message.
--   event_source: That event's `source`.
--   event_id: That event's `event_id`.
--   message: The whole message, as JSON.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When that publication reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  arrived AS (
    SELECT
      told.message_id, told.user_id, told.sequence, told.decided_at, told.message, told.pubsub_message_id, told.publish_time
    FROM stg_outbound AS told
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = told.pubsub_message_id AND counted.publish_time = told.publish_time
    WHERE told.topic = 'upsell-trigger' AND told.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'upsell-trigger' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY told.pubsub_message_id ORDER BY told.publish_time) = 1
  )
SELECT
  message_id, user_id, sequence, decided_at,
  JSON_VALUE(message, '$.kind') AS kind,
  JSON_VALUE(message, '$.offer_id') AS offer_id,
  SAFE_CAST(JSON_VALUE(message, '$.expires_at') AS TIMESTAMP) AS expires_at,
  JSON_VALUE(message, '$.cms_ref') AS cms_ref,
  JSON_VALUE(message, '$.price_ref') AS price_ref,
  JSON_VALUE(message, '$.plan_to') AS plan_to,
  JSON_VALUE(message, '$.revoke_reason') AS revoke_reason,
  JSON_VALUE(message, '$.trigger_id') AS trigger_id,
  JSON_VALUE(message, '$.decision_id') AS decision_id,
  JSON_VALUE(message, '$.subscription_id') AS subscription_id,
  JSON_VALUE(message, '$.campaign_id') AS campaign_id,
  JSON_VALUE(message, '$.placement') AS placement,
  JSON_VALUE(message, '$.channel') AS channel,
  JSON_VALUE(message, '$.moment') AS moment,
  SAFE_CAST(JSON_VALUE(message, '$.moment_at') AS TIMESTAMP) AS moment_at,
  JSON_VALUE(message, '$.offset') AS offset,
  JSON_VALUE(message, '$.cause') AS cause,
  JSON_VALUE(message, '$.catalog_version') AS catalog_version,
  JSON_VALUE(message, '$.experiment_id') AS experiment_id,
  JSON_VALUE(message, '$.variant') AS variant,
  SAFE_CAST(JSON_VALUE(message, '$.propensity') AS FLOAT64) AS propensity,
  JSON_VALUE(message, '$.policy_version') AS policy_version,
  SAFE_CAST(JSON_VALUE(message, '$.score') AS FLOAT64) AS score,
  SAFE_CAST(JSON_VALUE(message, '$.score_version') AS INT64) AS score_version,
  JSON_VALUE(message, '$.follows') AS follows,
  JSON_VALUE(message, '$.event.topic') AS event_topic,
  JSON_VALUE(message, '$.event.source') AS event_source,
  JSON_VALUE(message, '$.event.event_id') AS event_id,
  message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
