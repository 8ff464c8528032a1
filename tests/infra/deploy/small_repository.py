"""A small repository to package: the function `greet`, whose word is two imports away."""

from pathlib import Path

FILES = {
    "functions/greet/main.py": "from shared.greeting import HELLO\n",
    "functions/greet/notes.txt": "not for the cloud",
    "functions/other/main.py": "",
    "shared/__init__.py": "",
    "shared/greeting.py": "from shared.words.hello import HELLO\n",
    "shared/words/__init__.py": "",
    "shared/words/hello.py": "HELLO = 'hello'\n",
    "shared/words/goodbye.py": "GOODBYE = 'goodbye'\n",
    "shared/words/main.py": "",
    "shared/words/data.json": "{}",
    "tests/test_greet.py": "",
    "requirements.txt": "functions-framework\n",
}


def write_repository(root: Path) -> Path:
    """Write the files under `root`, and return it."""
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root
