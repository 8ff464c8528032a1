from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("user_id", "every", "min_sequence", "after_event_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    MIN_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    every: bool
    min_sequence: int
    after_event_id: str
    def __init__(self, user_id: _Optional[str] = ..., every: _Optional[bool] = ..., min_sequence: _Optional[int] = ..., after_event_id: _Optional[str] = ...) -> None: ...

class GetSubscriptionResponse(_message.Message):
    __slots__ = ("user_id", "subscription", "trial_used", "sequence", "as_of", "stale", "subscriptions")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TRIAL_USED_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    subscription: Subscription
    trial_used: bool
    sequence: int
    as_of: str
    stale: bool
    subscriptions: _containers.RepeatedCompositeFieldContainer[Subscription]
    def __init__(self, user_id: _Optional[str] = ..., subscription: _Optional[_Union[Subscription, _Mapping]] = ..., trial_used: _Optional[bool] = ..., sequence: _Optional[int] = ..., as_of: _Optional[str] = ..., stale: _Optional[bool] = ..., subscriptions: _Optional[_Iterable[_Union[Subscription, _Mapping]]] = ...) -> None: ...

class Subscription(_message.Message):
    __slots__ = ("subscription_id", "status", "entitled", "plan", "facts")
    SUBSCRIPTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ENTITLED_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    subscription_id: str
    status: str
    entitled: bool
    plan: str
    facts: _struct_pb2.Struct
    def __init__(self, subscription_id: _Optional[str] = ..., status: _Optional[str] = ..., entitled: _Optional[bool] = ..., plan: _Optional[str] = ..., facts: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class GetEntitlementRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class GetEntitlementResponse(_message.Message):
    __slots__ = ("user_id", "entitled", "status", "plan", "until", "sequence", "etag", "stale")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTITLED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    entitled: bool
    status: str
    plan: str
    until: str
    sequence: int
    etag: str
    stale: bool
    def __init__(self, user_id: _Optional[str] = ..., entitled: _Optional[bool] = ..., status: _Optional[str] = ..., plan: _Optional[str] = ..., until: _Optional[str] = ..., sequence: _Optional[int] = ..., etag: _Optional[str] = ..., stale: _Optional[bool] = ...) -> None: ...

class DecideRequest(_message.Message):
    __slots__ = ("user_id", "placement", "idempotency_key", "dry_run")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    placement: str
    idempotency_key: str
    dry_run: bool
    def __init__(self, user_id: _Optional[str] = ..., placement: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("user_id", "offer", "is_new", "is_repeat", "sequence", "catalog_version")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    IS_REPEAT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    offer: Offer
    is_new: bool
    is_repeat: bool
    sequence: int
    catalog_version: str
    def __init__(self, user_id: _Optional[str] = ..., offer: _Optional[_Union[Offer, _Mapping]] = ..., is_new: _Optional[bool] = ..., is_repeat: _Optional[bool] = ..., sequence: _Optional[int] = ..., catalog_version: _Optional[str] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("trigger_id", "campaign_id", "offer_id", "placement", "channel", "cms_ref", "price_ref", "plan_to", "moment", "decided_at", "expires_at", "state", "experiment_id", "variant")
    TRIGGER_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    OFFER_ID_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    CMS_REF_FIELD_NUMBER: _ClassVar[int]
    PRICE_REF_FIELD_NUMBER: _ClassVar[int]
    PLAN_TO_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    trigger_id: str
    campaign_id: str
    offer_id: str
    placement: str
    channel: str
    cms_ref: str
    price_ref: str
    plan_to: str
    moment: str
    decided_at: str
    expires_at: str
    state: str
    experiment_id: str
    variant: str
    def __init__(self, trigger_id: _Optional[str] = ..., campaign_id: _Optional[str] = ..., offer_id: _Optional[str] = ..., placement: _Optional[str] = ..., channel: _Optional[str] = ..., cms_ref: _Optional[str] = ..., price_ref: _Optional[str] = ..., plan_to: _Optional[str] = ..., moment: _Optional[str] = ..., decided_at: _Optional[str] = ..., expires_at: _Optional[str] = ..., state: _Optional[str] = ..., experiment_id: _Optional[str] = ..., variant: _Optional[str] = ...) -> None: ...

class ListOffersRequest(_message.Message):
    __slots__ = ("user_id", "placement")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    placement: str
    def __init__(self, user_id: _Optional[str] = ..., placement: _Optional[str] = ...) -> None: ...

class ListOffersResponse(_message.Message):
    __slots__ = ("user_id", "offers", "sequence")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    offers: _containers.RepeatedCompositeFieldContainer[Offer]
    sequence: int
    def __init__(self, user_id: _Optional[str] = ..., offers: _Optional[_Iterable[_Union[Offer, _Mapping]]] = ..., sequence: _Optional[int] = ...) -> None: ...

class GiveFeedbackRequest(_message.Message):
    __slots__ = ("user_id", "trigger_id", "kind", "occurred_at", "event_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    trigger_id: str
    kind: str
    occurred_at: str
    event_id: str
    def __init__(self, user_id: _Optional[str] = ..., trigger_id: _Optional[str] = ..., kind: _Optional[str] = ..., occurred_at: _Optional[str] = ..., event_id: _Optional[str] = ...) -> None: ...

class GiveFeedbackResponse(_message.Message):
    __slots__ = ("user_id", "outcome", "state", "sequence")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    outcome: str
    state: str
    sequence: int
    def __init__(self, user_id: _Optional[str] = ..., outcome: _Optional[str] = ..., state: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("user_id", "decision")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    decision: _struct_pb2.Struct
    def __init__(self, user_id: _Optional[str] = ..., decision: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...
