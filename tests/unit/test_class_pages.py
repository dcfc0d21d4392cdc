"""The class's pages by plain HTTP: the gate, what is whose, and what somebody hostile may try."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from shared.classroom import identity
from shared.classroom.desk import Class
from shared.classroom.made import Made
from shared.classroom.room import Person, Room
from shared.classroom.taking_home import zipped
from shared.media import png, safety
from shared.media.safety import safety_of
from shared.settings import Secret, Settings
from shared.ui.classroom.gate import Gate
from shared.ui.classroom.places import Place

PHRASE = "open-sesame"
HTML = {"accept": "text/html"}
PICTURE = Made(b"\x89PNG not really", "image/png", ".png")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    behind = Starlette(
        routes=[Route("/{path:path}", lambda request: PlainTextResponse("behind"), methods=["GET", "POST"])]
    )
    places = (Place("/chat/", "Chat", (("1 few", "A few"),)), Place("/text2img/", "Text to image"))
    yield Gate(behind, Settings(data_dir=tmp_path, classroom=True, class_passphrase=Secret(PHRASE)), places)
    safety.set_by(lambda: "")
    identity.read_by(lambda name: "")


@pytest.fixture
def room(gate: Gate) -> Class:
    return gate.room


@pytest.fixture
def anybody(gate: Gate) -> Iterator[TestClient]:
    with TestClient(gate, follow_redirects=False) as client:
        yield client


@pytest.fixture
def teacher(gate: Gate) -> Iterator[TestClient]:
    with TestClient(gate, follow_redirects=False) as client:
        assert client.post("/class/api/unlock", json={"phrase": PHRASE}).status_code == 200
        yield client


def student(gate: Gate, name: str) -> TestClient:
    client = TestClient(gate, follow_redirects=False)
    said = client.post("/class/api/join", json={"code": gate.room.room.facts.code, "name": name})
    assert said.status_code == 200, said.text
    return client


def me(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/class/api/me").json()
    return found


def a_work(room: Class, person: str, state: Any = "waiting", prompt: str = "a cat", made: Made = PICTURE) -> str:
    ids = {p.name: p.id for p in room.room.people}
    return room.works.add(ids[person], "text-to-image", prompt, {"name": "Model M", "seed": 7}, made, state)


def test_who_has_not_joined_gets_to_the_door_and_no_further(gate: Gate, anybody: TestClient) -> None:
    page = anybody.get("/chat/", headers=HTML)
    assert (page.status_code, page.headers["location"]) == (303, "/join")
    for path in ("/chat/gradio_api/info", "/gradio_api/file=x", "/chat/gradio_api/file=/x/assets/y", "/mcp"):
        assert anybody.get(path).status_code == 401, path
    assert anybody.post("/chat/gradio_api/queue/join", json={}).status_code == 401
    for path in ("/chat/assets/index-abc.js", "/healthz"):
        assert anybody.get(path).text == "behind", path
    assert anybody.get("/join").status_code == 200
    assert student(gate, "Ada").get("/chat/", headers=HTML).text == "behind"


class Counting(Room):
    """Counts how often it looks somebody up."""

    looked = 0

    def person(self, token: object) -> Person | None:
        self.looked += 1
        return super().person(token)


def test_whose_a_call_is_is_looked_up_once(tmp_path: Path, gate: Gate) -> None:
    ada = student(gate, "Ada")
    gate.room.room = room = Counting(gate.room.settings)
    for number, call in enumerate((ada.get, ada.post), 1):
        assert call("/chat/gradio_api/queue/join").text == "behind" and room.looked == number


def test_a_removed_person_is_out_at_once(gate: Gate, teacher: TestClient) -> None:
    ada = student(gate, "Ada")
    (person,) = teacher.get("/class/api/desk").json()["people"]
    teacher.post("/class/api/desk/person", json={"id": person["id"], "removed": True})
    assert ada.get("/chat/").status_code == 401 and ada.get("/class/api/me").status_code == 401


def test_a_student_is_no_teacher(gate: Gate, room: Class, anybody: TestClient) -> None:
    ada = student(gate, "Ada")
    for client in (ada, anybody):
        for path in (
            "/class/api/desk",
            "/class/api/class-works.zip",
            "/class/api/class-use.csv",
            "/class/api/code.svg",
        ):
            assert client.get(path).status_code == 403, path
        for act in ("set", "code", "delete", "push", "person", "work"):
            assert client.post(f"/class/api/desk/{act}", json={"frozen": True, "sure": True}).status_code == 403, act
    assert not room.room.facts.frozen and room.room.people


def test_another_sites_page_can_do_nothing_with_somebodys_cookies(room: Class, teacher: TestClient) -> None:
    path, body = "/class/api/desk/set", json.dumps({"frozen": True})
    for headers in (
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "origin": "https://evil.example"},
    ):
        assert teacher.post(path, content=body, headers=headers).status_code == 403, headers
    assert not room.room.facts.frozen
    assert teacher.post(path, json={"frozen": True}, headers={"origin": "http://testserver"}).status_code == 200
    assert room.room.facts.frozen


@pytest.mark.parametrize("body", [b"[1]", b"{", b'"x"', b"\xff", b"[" * 60_000, b'{"code":"\\ud800"}'])
def test_what_is_no_object_is_refused(anybody: TestClient, body: bytes) -> None:
    said = anybody.post("/class/api/join", content=body, headers={"content-type": "application/json"})
    assert said.status_code == 400


def test_too_much_at_once_is_refused(anybody: TestClient) -> None:
    assert anybody.post("/class/api/join", json={"code": "x" * 100_000}).status_code == 413


def test_a_work_is_its_makers_and_the_teachers_until_it_hangs(gate: Gate, room: Class, teacher: TestClient) -> None:
    ada, bob = student(gate, "Ada"), student(gate, "Bob")
    work = a_work(room, "Ada")
    assert ada.get(f"/class/work/{work}").content == PICTURE.data == teacher.get(f"/class/work/{work}").content
    assert bob.get(f"/class/work/{work}").status_code == 404 and bob.get("/class/api/works").json()["works"] == []
    assert bob.post("/class/api/vote", json={"choice": work}).status_code == 400
    teacher.post("/class/api/desk/work", json={"id": work, "state": "shown"})
    assert bob.get(f"/class/work/{work}").content == PICTURE.data
    assert bob.post("/class/api/vote", json={"choice": work}).status_code == 200
    assert [(w["by"], w["votes"]) for w in ada.get("/class/api/works").json()["works"]] == [("Ada", 1)]
    bob.post("/class/api/vote", json={"choice": work})
    assert ada.get("/class/api/works").json()["works"][0]["votes"] == 1  # one person, one vote


def test_a_works_file_runs_nothing_in_the_browser(gate: Gate, room: Class) -> None:
    ada = student(gate, "Ada")
    page = Made(b"<script>alert(1)</script>", "text/plain", ".txt")
    shown = ada.get(f"/class/work/{a_work(room, 'Ada', made=page)}")
    assert (
        shown.headers["content-type"].startswith("text/plain") and "sandbox" in shown.headers["content-security-policy"]
    )
    assert shown.headers["x-content-type-options"] == "nosniff"
    solid = ada.get(f"/class/work/{a_work(room, 'Ada', made=Made(b'glTF', 'model/gltf-binary', '.glb'))}")
    assert solid.headers["content-disposition"].startswith("attachment")


def test_a_blind_vote_tells_makers_and_models_after_it_ends(gate: Gate, room: Class, teacher: TestClient) -> None:
    ada, bob = student(gate, "Ada"), student(gate, "Bob")
    one, two = a_work(room, "Ada"), a_work(room, "Bob")
    teacher.post("/class/api/desk/poll", json={"works": [one, two], "question": "Which?"})
    told = ada.get("/class/api/works").json()
    assert {(w["by"], w["model"], w["seed"]) for w in told["works"]} == {("", "", None)}
    for client in (ada, bob):
        assert client.post("/class/api/vote", json={"poll": told["poll"]["id"], "choice": two}).status_code == 200
    assert ada.post("/class/api/vote", json={"poll": "another", "choice": two}).status_code == 400
    third = a_work(room, "Bob", "shown")
    said = {"poll": told["poll"]["id"], "choice": third}
    assert ada.post("/class/api/vote", json=said).status_code == 400  # it isn't asked about
    teacher.post("/class/api/desk/end-poll", json={})
    said = {"poll": told["poll"]["id"], "choice": one}
    assert ada.post("/class/api/vote", json=said).status_code == 400  # it has ended
    told = ada.get("/class/api/works").json()
    assert told["votes"] == {two: 2} and {w["by"] for w in told["works"]} == {"Ada", "Bob"}
    (person,) = [p for p in room.room.people if p.name == "Ada"]
    room.room.mark(person.id, removed=True)
    assert bob.get("/class/api/works").json()["votes"] == {two: 1}  # who was removed has no vote


def test_a_file_tells_nothing_of_its_model_while_a_blind_vote_goes_on(
    gate: Gate, room: Class, teacher: TestClient
) -> None:
    ada, bob = student(gate, "Ada"), student(gate, "Bob")
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    labelled = png.with_texts(file.getvalue(), {"genai_playground": '{"model": "Model M"}'})
    one, two = (a_work(room, name, made=Made(labelled, "image/png", ".png")) for name in ("Ada", "Bob"))
    teacher.post("/class/api/desk/poll", json={"works": [one, two], "question": "Which?"})
    for client in (ada, bob):
        shown = client.get(f"/class/work/{one}")
        assert b"Model M" not in shown.content and "no-store" in shown.headers["cache-control"]
        assert Image.open(io.BytesIO(shown.content)).getpixel((0, 0)) == (255, 0, 0)
    teacher.post("/class/api/desk/end-poll", json={})
    assert bob.get(f"/class/work/{one}").content == labelled


def test_what_is_sent_reaches_everybody_and_news_come_at_once(gate: Gate, teacher: TestClient) -> None:
    ada = student(gate, "Ada")
    before = me(ada)
    teacher.post("/class/api/desk/push", json={"text": "Draw a cat", "space": "/text2img/"})
    told = ada.get("/class/api/me", params={"after": before["version"]}).json()
    assert told["pushed"]["text"] == "Draw a cat" and told["pushed"]["link"] == "/text2img/"
    assert told["version"] != before["version"]


def test_a_lesson_is_sent_as_a_link_that_the_server_makes(gate: Gate, teacher: TestClient) -> None:
    ada = student(gate, "Ada")
    (chat, _) = teacher.get("/class/api/desk").json()["places"]
    assert chat == {"path": "/chat/", "name": "Chat", "lessons": [{"key": "1 few", "title": "A few"}]}

    def sent(**said: str) -> Any:
        assert teacher.post("/class/api/desk/push", json=said).status_code == 200
        return me(ada)["pushed"]

    pushed = sent(space="/chat/", lesson="1 few")
    assert (pushed["link"], pushed["lesson"], pushed["text"]) == ("/chat/#lesson=1%20few", "A few", "")
    assert sent(space="/text2img/", lesson="1 few", text="Draw")["link"] == "/text2img/"  # it is another's
    assert "link" not in sent(space="https://evil.example/", lesson="1 few", text="Come")
    assert sent(space="/chat/") == {}  # neither a text nor a lesson: what was sent is taken back


def test_everybody_is_told_of_a_lesson_in_their_language(gate: Gate, teacher: TestClient) -> None:
    ada, spanish = student(gate, "Chat"), {"accept-language": "es"}
    teacher.post("/class/api/desk/push", json={"space": "/text2img/", "text": "Text to image"})
    (_, place) = teacher.get("/class/api/desk", headers=spanish).json()["places"]
    assert place["name"] == "Texto a imagen"
    pushed = ada.get("/class/api/me", headers=spanish).json()["pushed"]
    assert (pushed["name"], pushed["text"]) == ("Texto a imagen", "Text to image")  # what was typed stays
    assert teacher.get("/class/api/desk", headers=spanish).json()["people"][0]["name"] == "Chat"
    wrong = ada.post("/class/api/join", json={"code": "WRONG1"}, headers=spanish)
    assert wrong.json()["error"].startswith("Este no es el código")


def test_the_desk_is_told_when_somebody_guesses_the_code(gate: Gate, room: Class, teacher: TestClient) -> None:
    def guessed() -> int:
        return int(teacher.get("/class/api/desk").json()["guessed"])

    for _ in range(4):
        student(gate, "Ada")  # a right code is none that is wrong
        assert teacher.post("/class/api/join", json={"code": "WRONG1"}).status_code == 403
    assert guessed() == 0  # a few mistype it
    for _ in range(119):
        room.guesses.wrong()
    assert guessed() == 120


def test_a_class_takes_its_work_home(gate: Gate, room: Class, teacher: TestClient) -> None:
    ada, _ = student(gate, "Ada"), student(gate, "Bob")
    a_work(room, "Ada", prompt="=HYPERLINK(1) ../../etc")
    a_work(room, "Bob", prompt="＝1+1")  # which an Excel in Japanese takes for a formula too
    mine = zipfile.ZipFile(io.BytesIO(ada.get("/class/api/mine.zip").content))
    assert len(mine.namelist()) == 2 and not any(".." in name or name.startswith("/") for name in mine.namelist())
    receipt = json.loads(mine.read(next(n for n in mine.namelist() if n.endswith(".receipt.json"))))
    assert receipt["receipt"]["name"] == "Model M"
    whole = zipfile.ZipFile(io.BytesIO(teacher.get("/class/api/class-works.zip").content))
    assert {name.partition("/")[0] for name in whole.namelist()} == {"Ada", "Bob"}
    head, *rows = csv.reader(io.StringIO(teacher.get("/class/api/class-use.csv").text))
    assert len(rows) == 2 and rows[0][head.index("prompt")].startswith("'=")
    assert rows[1][head.index("prompt")].startswith("'＝")


def test_a_zip_is_sent_piece_by_piece_and_unpacks_within_its_folder(gate: Gate, room: Class) -> None:
    student(gate, "Ada")
    room.room.rename(room.room.people[0].id, "🦊")  # of which a folder's name keeps nothing
    large = Made(b"x" * 2_000_000, "image/png", ".png")
    for number in range(3):
        works = room.works.add(room.room.people[0].id, "t", f"/../{number}", {}, large, "waiting")
    assert works
    pieces = list(zipped(room))
    assert len(pieces) == 4 and max(map(len, pieces)) < 2_010_000
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None and len(archive.namelist()) == 6
    assert all(name.startswith("somebody/") and ".." not in name for name in archive.namelist())


def test_all_is_deleted_only_when_that_is_meant(gate: Gate, room: Class, teacher: TestClient) -> None:
    student(gate, "Ada")
    a_work(room, "Ada")
    assert teacher.post("/class/api/desk/delete", json={}).status_code == 400 and room.works.all()
    assert teacher.post("/class/api/desk/delete", json={"sure": True}).status_code == 200
    assert not room.works.all() and not room.room.people and room.works.files.sizes() == {}


def test_budgets_are_numbers_and_of_known_units(room: Class, teacher: TestClient) -> None:
    for wrong in (-1, "x", float("1e300")):
        assert teacher.post("/class/api/desk/set", json={"caps": {"money": wrong}}).status_code == 400
    teacher.post("/class/api/desk/set", json={"caps": {"money": 2, "sweets": 5}, "own": {"tokens": "100"}})
    assert (room.room.facts.caps, room.room.facts.own) == ({"money": 2.0}, {"tokens": 100.0})


def test_cookies_are_no_scripts_to_read_and_safe_over_https(gate: Gate, anybody: TestClient) -> None:
    said = {"code": gate.room.room.facts.code, "name": "Ada"}
    plain = anybody.post("/class/api/join", json=said).headers["set-cookie"].lower()
    framed = (
        anybody.post("/class/api/join", json=said, headers={"x-forwarded-proto": "https"}).headers["set-cookie"].lower()
    )
    assert "httponly" in plain and "samesite=lax" in plain and "secure" not in plain
    assert "httponly" in framed and "samesite=none" in framed and "secure" in framed


def test_the_teacher_says_how_strict_the_checks_are(room: Class, teacher: TestClient) -> None:
    server = Settings(safety="standard")
    assert safety_of(server) == "standard"
    for chosen, holds in (("strict", "strict"), ("off", "off"), ("nonsense", "standard"), ("", "standard")):
        teacher.post("/class/api/desk/set", json={"safety": chosen})
        assert safety_of(server) == holds, chosen


def test_a_disk_that_takes_nothing_is_told_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where the folder should be")
    settings = Settings(data_dir=tmp_path / "full" / "data", classroom=True, class_passphrase=Secret(PHRASE))
    client = TestClient(Gate(Starlette(), settings), follow_redirects=False)
    said = client.post("/class/api/join", json={"code": "ABCDEF", "name": "Ada"})
    assert said.status_code in (403, 503) and said.json()["error"]
    assert client.post("/class/api/unlock", json={"phrase": PHRASE}).status_code == 200
    frozen = client.post("/class/api/desk/set", json={"frozen": True})
    assert frozen.status_code == 503 and "PLAYGROUND_DATA" in frozen.json()["error"]
    assert client.get("/join").status_code == 200
