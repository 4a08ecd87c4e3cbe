"""The watch list: what is watched, what is secret, and that it fits into a packet."""

from __future__ import annotations

import pytest

from sidecar.observe.encode import encode_patterns
from sidecar.observe.patterns import default_watch_list, parse_watch_list

WATCH_LIST = default_watch_list()

SECRETS = [
    b"/run/secrets/kubernetes.io/serviceaccount/token",
    b"/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    b"/home/anna/.ssh/id_ed25519",
    b"/root/.aws/credentials",
    b"/root/.config/gcloud/application_default_credentials.json",
    b"/root/.kube/config",
    b"/root/.docker/config.json",
    b"/root/.netrc",
    b"/root/.pgpass",
    b"/root/.git-credentials",
    b"/app/.env",
    b"/app/.env.production",
    b"/etc/shadow",
    b"/proc/1/environ",
    b"/etc/ssl/private/server.key",
    b"/app/tls/server.pem",
    b"/home/anna/.cache/huggingface/token",
    b"/home/anna/.mozilla/firefox/x.default/logins.json",
    b"/home/anna/.local/share/keyrings/login.keyring",
]
NO_SECRETS = [
    b"/etc/ssl/certs/ca-certificates.crt",
    b"/etc/ssl/certs/ISRG_Root_X1.pem",
    b"/venv/lib/python3.11/site-packages/certifi/cacert.pem",
    b"/root/.ssh/id_ed25519.pub",
    b"/root/.ssh/known_hosts",
    b"/app/.env.example",
    b"/etc/passwd",
    b"/etc/hosts",
    b"/app/environ.py",
    b"/usr/lib/python3.11/token.py",
    b"/run/secrets/kubernetes.io/serviceaccount/ca.crt",
    b"/run/secrets/kubernetes.io/serviceaccount/namespace",
    b"",
]


@pytest.mark.parametrize("path", SECRETS)
def test_secrets_are_secret(path: bytes) -> None:
    assert WATCH_LIST.is_secret(path)


@pytest.mark.parametrize("path", NO_SECRETS)
def test_public_things_are_not(path: bytes) -> None:
    assert not WATCH_LIST.is_secret(path)


def test_every_pattern_is_led_by_how_it_matches() -> None:
    listed = parse_watch_list(
        """
        [secret]
        prefix = ["/p/"]
        suffix = [".s"]
        name = ["n"]
        infix = ["/i/"]
        [public]
        prefix = ["/never-sent/"]
        suffix = []
        name = []
        infix = []
        [write]
        suffix = [".w"]
        """
    )
    assert listed.wire() == (b"P/p/", b"S.s", b"Nn", b"I/i/", b"W.w")


def test_a_name_is_the_whole_last_component() -> None:
    secret = parse_watch_list(
        '[secret]\nprefix=[]\nsuffix=[]\nname=["n"]\ninfix=[]\n[public]\nprefix=[]\nsuffix=[]\nname=[]\ninfix=[]\n[write]\nsuffix=[]'
    ).secret
    assert [path for path in (b"/n", b"n", b"/a/n", b"/xn", b"/n/a", b"/nx") if secret.matches(path)] == [
        b"/n",
        b"n",
        b"/a/n",
    ]


def test_the_list_fits_into_a_packet() -> None:
    assert len(encode_patterns(WATCH_LIST.wire())) < 8192
