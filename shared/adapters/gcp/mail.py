"""The documents in Firestore that the delivery of e-mail keeps, and those that operators put there for it.

mails/{trigger_id}          the outbox: the state of one mail (`shared/mail/outbox.py`)
mail_readers/{user_id}      `newest`, sequences by placement; `opted_out_at`
addresses/{user_id}         `email`, `locale`: filled by the operator
words/{cms_ref}             by locale, `subject`, `text`, `url` and maybe `html`; a `/` in the reference is `%2F`
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from google.protobuf.timestamp_pb2 import Timestamp

from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.paths import is_reserved, user_document_id
from shared.adapters.gcp.values import from_values
from shared.domain.errors import Transient
from shared.mail.outbox import Mail, Reader, State
from shared.mail.ports import Address, StoredMail, StoredReader, Words

MAILS, READERS, ADDRESSES, WORDS = "mails", "mail_readers", "addresses", "words"
NEEDED = ("subject", "text", "url")


class FirestoreOutbox:
    """Implements `Outbox`. A version is the document's update time."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def load_mail(self, trigger_id: str) -> StoredMail:
        """See `Outbox.load_mail`."""
        found = await self.documents.read(self.documents.path(MAILS, trigger_id))
        if found is None:
            return StoredMail(None, None)
        fields = from_values(found.fields)
        return StoredMail(Mail(**fields | {"state": State(fields["state"])}), found.update_time)

    async def save_mail(self, trigger_id: str, mail: Mail, version: object | None) -> object:
        """See `Outbox.save_mail`."""
        fields = mail._asdict() | {"state": mail.state.value}
        return await self.documents.write(self.documents.path(MAILS, trigger_id), fields, _timestamp(version))

    async def load_reader(self, user_id: str) -> StoredReader:
        """See `Outbox.load_reader`."""
        found = await self.documents.read(self._reader(user_id))
        if found is None:
            return StoredReader(Reader(), None)
        fields = from_values(found.fields)
        newest = tuple((each["placement"], each["sequence"]) for each in fields.get("newest") or ())
        return StoredReader(Reader(newest, fields.get("opted_out_at")), found.update_time)

    async def save_reader(self, user_id: str, reader: Reader, version: object | None) -> None:
        """See `Outbox.save_reader`."""
        newest = [{"placement": placement, "sequence": sequence} for placement, sequence in reader.newest]
        fields = {"newest": newest, "opted_out_at": reader.opted_out_at}
        await self.documents.write(self._reader(user_id), fields, _timestamp(version))

    def _reader(self, user_id: str) -> str:
        return self.documents.path(READERS, user_document_id(user_id))


class FirestoreAddresses:
    """Implements `Addresses` by a collection that the operator fills."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def find(self, user_id: str) -> Address | None:
        """See `Addresses.find`."""
        found = await self.documents.read(self.documents.path(ADDRESSES, user_document_id(user_id)))
        fields = from_values(found.fields) if found else {}
        email, locale = fields.get("email"), fields.get("locale")
        if not isinstance(email, str) or not email:
            return None
        return Address(email, locale if isinstance(locale, str) else "")


class FirestoreWords:
    """Implements `WordsSource` by a collection that the CMS or the operator fills."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    async def find(self, cms_ref: str) -> Mapping[str, Words] | None:
        """See `WordsSource.find`."""
        entry = words_id(cms_ref)
        found = await self.documents.read(self.documents.path(WORDS, entry))
        if found is None:
            return None
        return {
            locale: _words(f"{WORDS}/{entry}.{locale}", said) for locale, said in from_values(found.fields).items()
        }


def words_id(cms_ref: str) -> str:
    """The id of an entry's document: no reference is a path in Firestore, or an id that Firestore reserves."""
    quoted = quote(cms_ref, safe="")
    return f"%{ord(quoted[0]):X}{quoted[1:]}" if is_reserved(quoted) else quoted


def _words(place: str, said: Any) -> Words:
    given = said if isinstance(said, dict) else {}
    for name in NEEDED:
        if not isinstance(given.get(name), str) or not given[name]:
            raise Transient(f"{place}.{name}: expected a text, found none")
    if not given["url"].startswith(("https://", "http://")):
        raise Transient(f"{place}.url: expected an address that begins with https://, found something else")
    html = given.get("html")
    return Words(given["subject"], given["text"], given["url"], html if isinstance(html, str) else None)


def _timestamp(version: object | None) -> Timestamp | None:
    if version is not None and not isinstance(version, Timestamp):
        raise TypeError(f"expected a version of this store, found {type(version).__name__}")
    return version
