"""Keys of services: where they are found, and how they are kept from being seen.

Order: the variable the settings name, else the service's own variables, else the keyring entry `dev-agent/<service>`
(with the extra `keyring`). A key is never read from a file of a repository, and never written anywhere. It is held as a
`Secret`, whose text only `reveal` gives; nothing prints, formats, compares or pickles it by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Never

from dev_agent.errors import EnvironmentFault, UsageFault

KEYRING = "dev-agent"
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "openai": ("OPENAI_API_KEY",),
}
"""By service, the variables its own client reads, in its order."""


class Secret:
    """A secret text and where it came from."""

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self.source = source

    def reveal(self) -> str:
        """The text, for the one call that needs it."""
        return self._text

    def scrubbed(self, text: str) -> str:
        """A text of somebody else's with the secret taken out: services quote the key they refuse."""
        return text.replace(self._text, "[redacted: key]") if self._text else text

    def __repr__(self) -> str:
        return f"Secret(from {self.source})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> Never:
        raise TypeError("a secret is not written anywhere")


Keyring = Callable[[str], "str | None"]
"""The password of an entry of `dev-agent` in a keyring, by its name. Raises EnvironmentFault."""


class Secrets:
    """Finds keys, when they are needed and not before."""

    def __init__(self, environ: Mapping[str, str], keyring: Keyring | None = None) -> None:
        self._environ = environ
        self._keyring = keyring or system_keyring

    def key(self, service: str, variable: str = "") -> Secret | None:
        """The key for a service, None if there is none.

        With `variable` from nowhere but there. Raises EnvironmentFault if a keyring is there and cannot be read,
        UsageFault for a text that can be no key.
        """
        for name in (variable,) if variable else VARIABLES.get(service, ()):
            text = self._environ.get(name, "").strip()
            if text:
                return _secret(text, f"the variable {name}")
        if variable:
            return None
        text = (self._keyring(service) or "").strip()
        return _secret(text, f"the keyring entry {KEYRING}/{service}") if text else None

    def in_environment(self, service: str) -> bool:
        """Whether a variable of the service's holds a key; no keyring is opened."""
        return any(self._environ.get(name, "").strip() for name in VARIABLES.get(service, ()))


def _secret(text: str, source: str) -> Secret:
    # No header can hold anything else, and the client's own error would quote it.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageFault(
            f"{source} holds what can be no key", hint="copy the key again; it is one word of ASCII"
        )
    return Secret(text, source)


def system_keyring(service: str) -> str | None:
    """Ask the system's keyring, if there is one and its extra is installed."""
    try:
        import keyring  # noqa: PLC0415 - takes long, and opens a connection to the desktop
        import keyring.errors  # noqa: PLC0415 - the same
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING, service)
    except keyring.errors.NoKeyringError:
        return None
    except keyring.errors.KeyringError as error:
        raise EnvironmentFault(
            f"the keyring cannot be read: {error}",
            hint=f"unlock it, or put the key into {VARIABLES[service][0]}",
        ) from error
