"""A real API server on loopback, with its etcd: RBAC decides, every request is audited to a file.

The programs are those that `.ci/kube-assets` builds (1.20), or newer ones in `KUBEBUILDER_ASSETS`. There is no kubelet
and no controller: what they would write, tests write.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEEDED = ("etcd", "kube-apiserver")
ADMIN = "admin-token"
READY_SECONDS = 90.0

AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""


def assets() -> Path | None:
    """The folder with the programs; None where they are not there."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    folder = Path(named) if named else Path.home() / ".cache/kube-assets"
    return folder if all((folder / name).exists() for name in NEEDED) else None


@dataclass(frozen=True)
class Answer:
    """Of the API server."""

    code: int
    body: Any


class Cluster:
    """Runs from `start` to `end`; `audit_log` is where every request is told."""

    def __init__(self, folder: Path, programs: Path, more: Sequence[str] = ()) -> None:
        self._folder, self._programs, self._more = folder, programs, more
        self._running: list[subprocess.Popen[bytes]] = []
        self.audit_log = folder / "audit.log"
        self.port = free_port()
        self._context = ssl.create_default_context()
        self.certificate = folder / "pki/apiserver.crt"

    def start(self) -> None:
        """Until it answers.

        Raises:
            RuntimeError: it does not, and its log says why.
        """
        etcd, peer = free_port(), free_port()
        self._run(
            "etcd", "--data-dir", str(self._folder / "etcd"), "--listen-client-urls", f"http://127.0.0.1:{etcd}",
            "--advertise-client-urls", f"http://127.0.0.1:{etcd}", "--listen-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster",
            f"default=http://127.0.0.1:{peer}", "--unsafe-no-fsync",
        )  # fmt: skip
        key = self._folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        self._write("tokens.csv", f'{ADMIN},admin,admin,"system:masters"\nalice-token,alice,alice,"team"\n')
        self._write("policy.yaml", AUDIT_POLICY)
        self._run(
            "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{etcd}", "--bind-address", "127.0.0.1",
            "--secure-port", str(self.port), "--cert-dir", str(self._folder / "pki"),
            "--authorization-mode", "RBAC", "--token-auth-file", str(self._folder / "tokens.csv"),
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", str(key),
            "--service-account-signing-key-file", str(key), "--api-audiences", "https://kubernetes.default.svc",
            "--service-cluster-ip-range", "10.96.0.0/16", "--disable-admission-plugins", "ServiceAccount",
            "--audit-policy-file", str(self._folder / "policy.yaml"), "--audit-log-path", str(self.audit_log),
            *self._more,
        )  # fmt: skip
        self._until_ready()

    def end(self) -> None:
        """Stop everything."""
        for process in reversed(self._running):
            process.kill()
            process.wait()

    def ask(self, method: str, path: str, body: object = None, token: str = ADMIN, **headers: str) -> Answer:
        """One request. `path` begins with a slash."""
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=30) as answer:
                return Answer(answer.status, _read(answer.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _read(error.read()))

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        """Create an object, which must work."""
        answer = self.ask("POST", path, body)
        if answer.code not in (200, 201, 409):
            raise AssertionError(f"{path}: {answer}")

    def token_of(self, namespace: str, account: str, pod: Mapping[str, Any] | None = None) -> str:
        """A token of a service account, bound to `pod` where there is one."""
        spec: dict[str, Any] = {"audiences": ["https://kubernetes.default.svc"]}
        if pod is not None:
            meta = pod["metadata"]
            bound = {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]}
            spec["boundObjectRef"] = bound
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        answer = self.ask(
            "POST", path, {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec}
        )
        assert answer.code == 201, answer
        return str(answer.body["status"]["token"])

    @property
    def version(self) -> str:
        """Of the API server: `v1.20.2`."""
        return str(self.ask("GET", "/version").body["gitVersion"])

    def control(self, controllers: str) -> None:
        """Run these controllers too (`clusterrole-aggregation`), until the end."""
        access = kubeconfig(self._folder / "kubeconfig", self, {"token": ADMIN})
        insecure = ["--port", "0"] if self.version < "v1.24" else []
        self._run(
            "kube-controller-manager", "--kubeconfig", str(access), "--controllers", controllers,
            "--leader-elect=false", "--secure-port", "0", *insecure,
        )  # fmt: skip

    @property
    def controllable(self) -> bool:
        """Whether there is a controller manager: setup-envtest brings none."""
        return (self._programs / "kube-controller-manager").exists()

    def _run(self, program: str, *arguments: str) -> None:
        """Whatever becomes of us, it ends with us."""
        command = ["setpriv", "--pdeathsig", "KILL", str(self._programs / program), *arguments]
        with (self._folder / f"{program}.log").open("wb") as log:
            self._running.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            dead = [process.args for process in self._running if process.poll() is not None]
            if dead:
                break
            if self.certificate.exists():
                self._context = ssl.create_default_context(cafile=str(self.certificate))
                try:
                    if self.ask("GET", "/readyz").code == 200:
                        return
                except OSError:
                    pass
            time.sleep(0.2)  # nothing tells when it is ready
        logs = [f"{path.name}: {path.read_text()[-2000:]}" for path in self._folder.glob("*.log")]
        self.end()
        raise RuntimeError("the API server did not come up\n" + "\n".join(logs))


def kubeconfig(path: Path, cluster: Cluster, user: Mapping[str, str], port: int = 0) -> Path:
    """A file by which a client reaches the cluster as `user` (of whom kubeconfig's fields tell)."""
    server = {"server": f"https://127.0.0.1:{port or cluster.port}", "certificate-authority": str(cluster.certificate)}
    context = {"cluster": "test", "user": "me"}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "me", "user": dict(user)}],
        "contexts": [{"name": "test", "context": context}],
        "current-context": "test",
    }
    path.write_text(json.dumps(body))
    return path


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.decode()


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
