"""What each provider's API for pictures says on the wire: pictures, previews, refusals."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tests.support.fake_server import Act, Asked, FakeServer
from tests.support.pictures import encoded, pixels, png_with_chunk
from tests.support.protocols import data, named

# With a chunk as Content Credentials have it: a picture that was opened and saved again would lack it.
PICTURE = png_with_chunk(b"caBX", b"content credentials", encoded("PNG", pixels(64, 48)))
SECOND = encoded("JPEG", pixels(64, 48).transpose(0))
SKETCH = encoded("PNG", pixels(20, 15))


def b64(picture: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(picture).decode()


class ImageDialect(Protocol):
    """One provider's way of drawing. `previews`: how many `opening` shows before it goes silent."""

    model: str
    backend: str
    url_name: str
    path: str
    env_var: str
    previews: int
    seed: str

    def base_url(self, root: str) -> str: ...
    def answer(self, picture: bytes = PICTURE) -> Act: ...
    def opening(self) -> Act: ...
    def filtered(self) -> Act | None: ...
    def error(self, status: int, message: str, code: str = "") -> Act: ...
    def key_in(self, asked: Asked) -> str: ...


def openai_error(status: int, message: str, code: str = "") -> Act:
    """An error in OpenAI's form."""
    return Act(status=status, body={"error": {"message": message, "type": "error", "code": code or None}})


def bearer(asked: Asked) -> str:
    """The key of a bearer's header."""
    return asked.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class OpenAIStream:
    """OpenAI's Images API: one picture as a stream, several as one answer."""

    model: str = "openai:gpt-image-2"
    backend: str = "openai_images"
    url_name: str = "openai"
    path: str = "/v1/images/generations"
    env_var: str = "OPENAI_API_KEY"
    previews: int = 2
    seed: str = "none"
    kind: str = "image_generation"

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def _event(self, kind: str, picture: bytes, **more: Any) -> dict[str, Any]:
        return {
            "type": f"{self.kind}.{kind}", "b64_json": b64(picture), "background": "opaque", "created_at": 1,
            "output_format": "png", "quality": "medium", "size": "1024x1024", **more,
        }  # fmt: skip

    def _sketches(self) -> list[dict[str, Any]]:
        return [self._event("partial_image", SKETCH, partial_image_index=n) for n in range(self.previews)]

    def answer(self, picture: bytes = PICTURE) -> Act:
        usage = {
            "input_tokens": 12, "output_tokens": 1000, "total_tokens": 1012,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 12},
        }  # fmt: skip
        return Act(chunks=named(*self._sketches(), self._event("completed", picture, usage=usage)))

    def opening(self) -> Act:
        return Act(chunks=named(*self._sketches()), after="hang")

    def several(self, *pictures: bytes) -> Act:
        """The answer that is no stream."""
        usage = {
            "input_tokens": 12, "output_tokens": 2000, "total_tokens": 2012,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 12},
        }  # fmt: skip
        return Act(body={"created": 1, "data": [{"b64_json": b64(p)} for p in pictures], "usage": usage})

    def filtered(self) -> Act:
        return self.error(400, "Your request was rejected by the safety system.", "moderation_blocked")

    def error(self, status: int, message: str, code: str = "") -> Act:
        return openai_error(status, message, code)

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)


@dataclass(frozen=True)
class Generations:
    """The Images API without a stream, as the rows of endpoints.toml and a server by its URL speak it."""

    model: str = "together:black-forest-labs/FLUX.1-schnell"
    backend: str = "openai_compatible_images"
    url_name: str = "together"
    path: str = "/v1/images/generations"
    env_var: str = "TOGETHER_API_KEY"
    previews: int = 0
    seed: str = "best-effort"

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def answer(self, picture: bytes = PICTURE) -> Act:
        return Act(body={"id": "1", "model": "m", "object": "list", "data": [{"index": 0, "b64_json": b64(picture)}]})

    def opening(self) -> Act:
        return Act(before="hang")

    def filtered(self) -> Act:
        return self.error(422, "NSFW content detected in the prompt.", "invalid_request_error")

    def error(self, status: int, message: str, code: str = "") -> Act:
        return openai_error(status, message, code)

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)


@dataclass(frozen=True)
class GeminiPictures:
    """Google's generateContent with pictures, streamed: a thought with a sketch, words, the picture."""

    model: str = "google:gemini-2.5-flash-image"
    backend: str = "google_images"
    url_name: str = "google"
    path: str = "/v1beta/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse"
    env_var: str = "GEMINI_API_KEY"
    previews: int = 1
    seed: str = "best-effort"

    def base_url(self, root: str) -> str:
        return root

    def _chunk(self, *parts: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": [*parts]}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "modelVersion": "gemini-2.5-flash-image", "responseId": "g1"}

    def _image(self, picture: bytes, **more: Any) -> dict[str, Any]:
        return {"inlineData": {"mimeType": "image/png", "data": b64(picture)}, **more}

    def answer(self, picture: bytes = PICTURE) -> Act:
        usage = {
            "promptTokenCount": 12, "candidatesTokenCount": 1300, "totalTokenCount": 1312,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
        }  # fmt: skip
        sketch = self._chunk(self._image(SKETCH, thought=True))
        end = {**self._chunk(self._image(picture), finish="STOP"), "usageMetadata": usage}
        return Act(chunks=data(sketch, self._chunk({"text": "Here it is."}), end))

    def opening(self) -> Act:
        return Act(chunks=data(self._chunk(self._image(SKETCH, thought=True))), after="hang")

    def words(self, text: str) -> Act:
        """An answer without a picture."""
        return Act(chunks=data(self._chunk({"text": text}, finish="STOP")))

    def filtered(self) -> Act:
        return Act(chunks=data(self._chunk(finish="IMAGE_SAFETY")))

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": {"code": status, "message": message, "status": code or "UNKNOWN"}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("x-goog-api-key", "")


@dataclass(frozen=True)
class Hub:
    """Hugging Face: the Hub says who draws the model, and the router passes the request on in that one's form."""

    model: str = "huggingface:black-forest-labs/FLUX.1-schnell"
    backend: str = "huggingface_images"
    url_name: str = "hf"
    path: str = "/together/v1/images/generations"
    env_var: str = "HF_TOKEN"
    previews: int = 0
    seed: str = "best-effort"
    mapping: tuple[tuple[str, str, str], ...] = (
        ("nobody-knows", "text-to-image", "flux-schnell"),  # a provider newer than this program
        ("together", "text-to-image", "black-forest-labs/FLUX.1-schnell"),
    )

    def base_url(self, root: str) -> str:
        return root + "/v1"

    def urls(self, root: str) -> dict[str, str]:
        """Where the Hub itself is."""
        return {"huggingface_hub": root}

    def prepare(self, fake: FakeServer) -> None:
        """The Hub's own answer, which is no drawing."""
        rows = {p: {"status": "live", "providerId": name, "task": task} for p, task, name in self.mapping}
        fake.routes["/api/models/"] = lambda asked: Act(body={"id": "m", "inferenceProviderMapping": rows})

    def answer(self, picture: bytes = PICTURE) -> Act:
        return Act(body={"data": [{"b64_json": b64(picture)}]})

    def opening(self) -> Act:
        return Act(before="hang")

    def filtered(self) -> Act:
        return Act(body={"images": [{"url": "data:image/png;base64," + b64(PICTURE)}], "has_nsfw_concepts": [True]})

    def error(self, status: int, message: str, code: str = "") -> Act:
        return openai_error(status, message, code)

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)


@dataclass(frozen=True)
class WebUI:
    """AUTOMATIC1111's API."""

    model: str = "a1111:loaded"
    backend: str = "a1111"
    url_name: str = "a1111"
    path: str = "/sdapi/v1/txt2img"
    env_var: str = ""
    previews: int = 0
    seed: str = "best-effort"

    def base_url(self, root: str) -> str:
        return root

    def prepare(self, fake: FakeServer) -> None:
        """Its progress, which is no drawing."""
        for path in ("/internal/progress", "/sdapi/v1/progress", "/sdapi/v1/interrupt"):
            fake.routes[path] = lambda asked: Act(status=404, body={"detail": "Not Found"})

    def body(self, *pictures: bytes, **info: Any) -> dict[str, Any]:
        """An answer with these pictures."""
        return {"images": [b64(p) for p in pictures], "parameters": {}, "info": json.dumps(info)}

    def answer(self, picture: bytes = PICTURE) -> Act:
        return Act(body=self.body(picture, index_of_first_image=0))

    def slow(self, seconds: float) -> Act:
        """A whole answer after this while."""
        text = json.dumps(self.body(PICTURE, index_of_first_image=0))
        return Act(chunks=(text,), pause=seconds, headers={"Content-Type": "application/json"})

    def opening(self) -> Act:
        return Act(before="hang")

    def filtered(self) -> Act | None:
        return None

    def error(self, status: int, message: str, code: str = "") -> Act:
        return Act(status=status, body={"error": code or "HTTPException", "detail": message, "errors": message})

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)


@dataclass(frozen=True)
class Comfy:
    """ComfyUI's API: a job is put in the line, looked for in the history, and its picture fetched."""

    model: str = "comfyui:sd15.safetensors"
    backend: str = "comfyui"
    url_name: str = "comfyui"
    path: str = "/prompt"
    env_var: str = ""
    previews: int = 0
    seed: str = "best-effort"

    def base_url(self, root: str) -> str:
        return root

    def prepare(self, fake: FakeServer) -> None:
        """All but the jobs themselves. A job's id names the picture that it makes."""
        fake.routes["/history/"] = lambda asked: Act(body=self.history(asked.path.rpartition("/")[2]))
        fake.routes["/view"] = lambda asked: Act(
            body=_DRAWN[asked.path.partition("filename=")[2].partition(".")[0]], headers={"Content-Type": "image/png"}
        )
        fake.routes["/queue"] = lambda asked: Act(body={"queue_running": [], "queue_pending": []})
        fake.routes["/ws"] = lambda asked: Act(status=404)

    def history(self, job: str) -> dict[str, Any]:
        """A job that is done."""
        images = [{"filename": f"{job}.png", "subfolder": "", "type": "temp"}]
        return {job: {"outputs": {"show": {"images": images}}, "status": {"status_str": "success", "completed": True}}}

    def answer(self, picture: bytes = PICTURE) -> Act:
        job = hashlib.sha256(picture).hexdigest()
        _DRAWN[job] = picture
        return Act(body={"prompt_id": job, "number": 1, "node_errors": {}})

    def opening(self) -> Act:
        return Act(before="hang")

    def filtered(self) -> Act | None:
        return None

    def error(self, status: int, message: str, code: str = "") -> Act:
        return openai_error(status, message, code)

    def key_in(self, asked: Asked) -> str:
        return bearer(asked)


_DRAWN: dict[str, bytes] = {}


def with_body(act: Act, old: str, new: str) -> Act:
    """The same act with a text of its body or chunks replaced."""
    if act.chunks is not None:
        return replace(act, chunks=tuple(chunk.replace(old, new) for chunk in act.chunks))
    if isinstance(act.body, bytes):
        return replace(act, body=act.body.replace(old.encode(), new.encode()))
    return replace(act, body=json.loads(json.dumps(act.body).replace(old, new)))


IMAGE_DIALECTS: tuple[ImageDialect, ...] = (OpenAIStream(), Generations(), GeminiPictures(), Hub(), WebUI(), Comfy())
IMAGES_BY_BACKEND = {d.backend: d for d in IMAGE_DIALECTS}
