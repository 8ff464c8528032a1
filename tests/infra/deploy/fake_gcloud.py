#!/usr/bin/env -S python3 -SE
"""A gcloud for tests: keeps the resources of one project in a JSON file, and refuses what it does not know.

Reads and writes `FAKE_GCLOUD/state.json`, and appends each command that changes something to
`FAKE_GCLOUD/changes.txt`. `FAKE_GCLOUD/kill_at` holds the number of the change at which it kills its caller;
`FAKE_GCLOUD/refuse` holds how often adding a binding fails, as it does for an account that IAM does not know yet.
"""

# ruff: noqa: PTH103, PTH110, PTH120, PTH123 - importing pathlib takes longer than the rest of a call
import fcntl
import json
import os
import signal
import sys

FOLDER = os.environ["FAKE_GCLOUD"]
EMPTY = {
    "account": "owner@example.com",
    "project": {"lifecycleState": "ACTIVE", "billingEnabled": "True"},
    "apis": [],
    "buckets": {},
    "accounts": [],
    "bindings": {},
    "agents": [],
    "secrets": {},
    "services": [],
    "revisions": [],
}


class Missing(Exception):
    """The resource that a command asks about does not exist."""


def run(words, flags, state):
    """The answer to a command that only reads; None for any other. Raises `Missing`."""
    match words:
        case ["auth", "list"]:
            return state["account"]
        case ["projects", "describe", _]:
            return state["project"]["lifecycleState"]
        case ["billing", "projects", "describe", _]:
            return state["project"]["billingEnabled"]
        case ["services", "list"]:
            return "\n".join(state["apis"])
        case ["storage", "buckets", "describe", name]:
            return str(found(state["buckets"], name).get(flags.get("format", "")[6:-1], ""))
        case ["iam", "service-accounts", "describe", name]:
            return found({each: each for each in state["accounts"]}, name)
        case [*_, "get-iam-policy", name]:
            member = flags["filter"].removeprefix("bindings.members:")
            return "\n".join(role for role, whom in state["bindings"].get(name, []) if whom == member)
        case ["secrets", "describe", name]:
            return str(found(state["secrets"], name) and name)
        case ["secrets", "versions", "list", name]:
            return "\n".join(str(place) for place, _ in enumerate(found(state["secrets"], name), 1))
        case ["info"]:
            return f"{FOLDER}/sdk"
    return run_lists(words, flags, state)


def run_lists(words, flags, state):
    """The answer to a command that lists what Cloud Run has; None for any other."""
    match words:
        case ["run", "services", "list"]:
            return json.dumps(state["services"])
        case ["run", "revisions", "list"]:
            return json.dumps([each for each in state["revisions"] if region_of(each) == flags["region"]])
    return None


def change(words, flags, state):
    """Carry out a command that changes something. Raises `Missing` or `LookupError`."""
    match words:
        case ["services", "enable", *names]:
            state["apis"] += names
        case ["storage", "buckets", "create", name]:
            new(state["buckets"], name)
            state["buckets"][name] = {"location": flags["location"]}
        case ["storage", "buckets", "update", name] if "versioning" in flags:
            found(state["buckets"], name)["versioning_enabled"] = True
        case ["storage", "buckets", "update", name]:
            found(state["buckets"], name)["lifecycle_config"] = json.loads(read(flags["lifecycle-file"]))
        case ["iam", "service-accounts", "create", name]:
            state["accounts"].append(f"{name}@{os.environ['CLOUDSDK_CORE_PROJECT']}.iam.gserviceaccount.com")
        case [*_, "add-iam-policy-binding", name]:
            refuse_for_a_while()
            state["bindings"].setdefault(name, []).append([flags["role"], flags["member"]])
        case ["beta", "services", "identity", "create"]:
            state["agents"] = sorted({*state["agents"], flags["service"]})
        case ["secrets", "create", name]:
            new(state["secrets"], name)
            state["secrets"][name] = []
        case ["secrets", "versions", "add", name] if flags["data-file"] == "-":
            found(state["secrets"], name).append(sys.stdin.read())
        case _:
            send(words, flags, state)


def send(words, flags, state):
    """Carry out a command that sends an object, a message or traffic somewhere."""
    match words:
        case ["storage", "cp", source, target]:
            copy(place_of(source), place_of(target))
        case ["pubsub", "topics", "publish", topic]:
            state.setdefault("messages", []).append([topic, flags["message"]])
        case ["run", "services", "update-traffic", name]:
            revision, percent = flags["to-revisions"].split("=")
            service = next(each for each in state["services"] if each["metadata"]["name"] == name)
            service["status"]["traffic"] = [{"revisionName": revision, "percent": int(percent)}]
        case _:
            sys.exit(f"ERROR: (gcloud) the fake knows no command {' '.join(words)}")


def found(resources, name):
    if name not in resources:
        raise Missing(name)
    return resources[name]


def new(resources, name):
    if name in resources:
        sys.exit(f"ERROR: (gcloud) {name} exists already")


def region_of(resource):
    return resource["metadata"]["labels"]["cloud.googleapis.com/location"]


def refuse_for_a_while():
    left = int(read(f"{FOLDER}/refuse", "0"))
    if left:
        write(f"{FOLDER}/refuse", str(left - 1))
        sys.exit("ERROR: (gcloud) INVALID_ARGUMENT: the service account does not exist")


def kill_the_caller_at_its_change():
    made = len(read(f"{FOLDER}/changes.txt").splitlines())
    if made == int(read(f"{FOLDER}/kill_at", "0")):
        os.kill(os.getppid(), signal.SIGKILL)
        sys.exit(1)


def place_of(address):
    """A file of this machine; objects lie in the fake's folder."""
    return address.replace("gs://", f"{FOLDER}/objects/")


def copy(source, target):
    if not os.path.exists(source):
        raise Missing(source)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, "rb") as content, open(target, "wb") as file:
        file.write(content.read())


def read(path, default=None):
    if default is not None and not os.path.exists(path):
        return default
    with open(path) as file:
        return file.read()


def write(path, text, mode="w"):
    with open(path, mode) as file:
        file.write(text)


def main():
    words = [each for each in sys.argv[1:] if not each.startswith("--")]
    pairs = (each[2:].partition("=") for each in sys.argv[1:] if each.startswith("--"))
    flags = {name: value for name, _, value in pairs}
    with open(f"{FOLDER}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a rollback calls several at once
        try:
            answer_or_change(words, flags)
        except Missing as error:
            sys.exit(f"ERROR: (gcloud) NOT_FOUND: {error}")


def answer_or_change(words, flags):
    state = json.loads(read(f"{FOLDER}/state.json", json.dumps(EMPTY)))
    answer = run(words, flags, state)
    if answer is not None:
        print(answer)
        return
    write(f"{FOLDER}/changes.txt", " ".join(sys.argv[1:]) + "\n", "a")
    kill_the_caller_at_its_change()
    change(words, flags, state)
    write(f"{FOLDER}/state.json", json.dumps(state))


main()
