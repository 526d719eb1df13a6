"""The command line, run for real: what is on stdout, what on stderr, and the exit code."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from visionpulse import cli, errors
from visionpulse.catalog import STYLES

SCRIPT = "The sea is dark. Fish swim below.\n\nStars shine above the water."
SMALL = ("--provider", "offline", "--size", "256x144", "--scenes", "2")
ONLY_PLAN = ("--provider", "offline", "--until", "storyboard")


@dataclass
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def visionpulse(tmp_path):
    """Runs a command in this process; the working folder is empty."""

    def run(*arguments, stdin: str = "", **variables: str) -> Said:
        result = CliRunner().invoke(
            cli.app,
            [str(argument) for argument in arguments],
            input=stdin,
            env={"VISIONPULSE_HOME": str(tmp_path / "home"), **variables},
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout.strip(), result.stderr.strip())

    return run


def test_help_names_every_command_and_exit_code(visionpulse):
    """`--help` is the contract: commands, and what the exit codes mean."""
    said = visionpulse("--help", COLUMNS="300")

    assert said.code == 0
    for command in ("create", "edit", "resume", "cancel", "list", "show", "delete", "doctor"):
        assert re.search(rf"\b{command}\b", said.out)
    assert "2 wrong usage or input; 3 the set-up has to be changed; 4 a budget" in said.out


def test_help_loads_nothing_heavy():
    """Help and completion answer at once: no models, no database, no pictures."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import contextlib, sys, visionpulse.cli as cli\n"
            "with contextlib.suppress(SystemExit): cli.app(['create', '--help'])\n"
            "print(*sys.modules, file=sys.stderr)",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stderr.split()

    heavy = {"visionpulse.models", "sqlalchemy", "langgraph", "openai", "numpy", "PIL", "anyio"}
    assert "typer" in loaded
    assert heavy.isdisjoint(loaded)


def test_help_takes_less_than_half_a_second():
    """The processor time of `--help`, best of three: the machine may be busy."""

    def seconds() -> float:
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "visionpulse", "--help"], check=True, capture_output=True
        )
        after = os.times()
        return after.children_user + after.children_system - before[2] - before[3]

    assert min(seconds() for _ in range(3)) < 0.5


def test_a_storyboard_is_lines_or_json(visionpulse):
    """`--until storyboard` prints a prompt per scene; the JSON is the video, still resumable."""
    lines = visionpulse("create", "--text", SCRIPT, *ONLY_PLAN)
    video = visionpulse("create", "--text", SCRIPT, *ONLY_PLAN, "--json", "-q")

    assert lines.code == 0
    assert [line.split("\t")[0] for line in lines.out.splitlines()] == ["0", "1", "2"]
    assert "1 model call, 0 encodes" in lines.err
    assert "visionpulse resume " in lines.err
    assert video.json["status"] == "pending"
    assert "".join(scene["text"] for scene in video.json["scenes"]) == SCRIPT
    assert video.json["model_calls"] == 0, "planned a moment ago"
    assert video.err == ""


def test_a_script_comes_from_file_stdin_or_option(visionpulse, tmp_path):
    """A file (a byte order mark does not matter), `-` and `--text` are the same script."""
    (tmp_path / "script.txt").write_text(SCRIPT, encoding="utf-8-sig")

    for arguments, stdin in (
        (["script.txt"], ""),
        (["-"], SCRIPT),
        (["--text", SCRIPT], ""),
    ):
        said = visionpulse("create", *arguments, *ONLY_PLAN, "--json", stdin=stdin)
        assert said.json["script"] == SCRIPT


def test_wishes_reach_the_video(visionpulse):
    """What the options say is what the video is."""
    video = visionpulse(
        "create", "--text", SCRIPT, *ONLY_PLAN, "--json", "--title", "Sea", "--style", "anime",
        "--voice", "nova", "--keywords", "waves, blue hour", "--avoid", "text,people",
        "--aspect", "9:16", "--fps", "25", "--scenes", "2", "--motion", "left",
        "--transition", "cut",
    ).json  # fmt: skip

    assert (video["title"], video["style"], video["voice"]) == ("Sea", "anime", "nova")
    assert video["keywords"] == ["waves", "blue hour"]
    assert video["negative_keywords"] == ["text", "people"]
    assert len(video["scenes"]) == 2
    shape = {name: video["options"][name] for name in ("aspect", "fps", "motion", "transition")}
    assert shape == {"aspect": "9:16", "fps": 25, "motion": "left", "transition": "cut"}


def test_auto_without_a_key_is_offline_and_says_so(visionpulse):
    """The default provider is said in one line on stderr, and only when it was not asked for."""
    by_itself = visionpulse("create", "--text", SCRIPT, "--until", "storyboard")
    asked = visionpulse("create", "--text", SCRIPT, *ONLY_PLAN)
    keyed = visionpulse("estimate", "--text", SCRIPT, OPENAI_API_KEY="sk-1234")

    assert by_itself.code == 0
    assert by_itself.err.splitlines()[0].startswith("OPENAI_API_KEY is not set, so")
    assert "OPENAI_API_KEY" not in asked.err
    assert (keyed.code, keyed.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create"], "--text"),
        (["create", "a.txt", "--text", "A door."], "Give one script"),
        (["create", "nowhere.txt"], "nowhere.txt"),
        (["create", "A red door. A corridor."], "--text"),
        (["create", "folder"], "folder"),
        (["create", "binary"], "UTF-8"),
        (["create", "/dev/zero"], ""),
        (["create", "--text", "  \n "], ""),
        (["create", "--text", "🎬🎬"], ""),
        (["create", "--text", "A door.", "--style", "cinematc"], "'cinematic'"),
        (["create", "--text", "A door.", "--voice", "aloy"], "'alloy'"),
        (["create", "--text", "A door.", "--provider", "openia"], "'openai'"),
        (["create", "--text", "A door.", "--provider", "x"], "Known: auto, offline, openai"),
        (["doctor", "--provider", "openia"], "'openai'"),
        (["create", "--text", "A door.", "--until", "picture"], "'pictures'"),
        (["create", "--text", "A door.", "--fps", "-1"], "--fps -1"),
        (["create", "--text", "A door.", "--size", "1280"], "--size 1280"),
        (["create", "--text", "A door.", "--size", "big"], "such as 1280x720"),
        (
            ["create", "--text", "A door.", "--size", "99999x99999"],
            "1280x720; each side is even and from 64 to 7680",
        ),
        (
            ["create", "--text", "A door.", "--size", "65x65"],
            "1280x720; each side is even and from 64 to 7680",
        ),
        (["create", "--text", "A door.", "--picture-size", "big"], "--picture-size big"),
        (["create", "--text", "A door.", "--picture-size", "9x9"], "such as 1536x864"),
        (["create", "--text", "A door.", "--size", "0x0"], "--size 0x0"),
        (["create", "--text", "A door.", "--scenes", "0"], "--scenes 0"),
        (["create", "--text", "A door.", "--aspect", "4:3"], "--aspect 4:3"),
        (["create", "--text", "A door.", "--motion", "spin"], "--motion spin"),
        (["create", "--text", "A door.", "--max-cost", "much"], "'much'"),
        (["create", "--text", "A door.", "-o", "taken.mp4"], "--force"),
        (["create", "--text", "A door.", "-o", "captioned.mp4"], "captioned.vtt is there"),
        (["create", "--text", "A door.", "-o", f"{'f' * 300}.mp4"], "File name too long"),
        (["create", "--text", "A door.", "-o", f"missing/{'f' * 300}.mp4"], "Name another"),
        (["create", "--text", "A door.", "-o", "/proc/missing/film.mp4"], "/proc/missing"),
        (["create", "--text", "A door.", "-o", "film.avi"], "film.mp4"),
        (["create", "--text", "A door.", "-o", "folder"], "film"),
        (["create", "--text", "A door.", "-o", "binary/film.mp4"], "binary"),
        (["create", "--text", "A door.", "-o", "f.mp4", "--until", "pictures"], "-o"),
        (["create", "--no-such-option"], "--no-such-option"),
        (["edit", "f" * 32], "--scene N with --prompt"),
        (["edit", "f" * 32, "--scene", "1"], "--scene N with --prompt"),
        (["edit", "f" * 32, "--prompt", "x"], "--scene N, from 0"),
        (["edit", "f" * 32, "--redraw"], "--scene N, from 0"),
        (["list", "--status", "done"], "completed"),
        (["list", "--limit", "0"], ""),
        (["show", "f" * 32], "f" * 32),
        (["resume", "../x"], ""),
        (["delete", "f" * 32], "f" * 32),
        (["cancel", "f" * 32], "f" * 32),
    ],
)
def test_bad_input_is_2_and_says_what_to_do(visionpulse, tmp_path, arguments, says):
    """Input that cannot be used: exit code 2, nothing on stdout, nothing begun or touched."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\xd8")
    (tmp_path / "taken.mp4").write_bytes(b"mine")
    (tmp_path / "captioned.vtt").write_bytes(b"mine")
    there = sorted(tmp_path.iterdir())
    provider = [] if "--provider" in arguments or arguments[0] != "create" else SMALL[:2]

    said = visionpulse(*arguments, *provider)

    assert said.code == 2, said.err
    assert said.out == ""
    assert says in said.err
    assert "Traceback" not in said.err
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "home"] == there
    assert visionpulse("list").out == ""
    assert (tmp_path / "taken.mp4").read_bytes() == b"mine"


@contextlib.contextmanager
def shut_out(folder):
    """Nobody may enter the folder: root, whom no folder stops, is somebody else meanwhile."""
    folder.mkdir(mode=0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


def test_a_folder_one_may_not_enter_is_said_before_anything_is_made(visionpulse, tmp_path):
    """Where the film could not be written, nothing is begun."""
    visionpulse("list")  # Imports what somebody else may not read.

    with shut_out(tmp_path / "locked"):
        said = visionpulse(
            "create", "--text", SCRIPT, *SMALL, "-o", tmp_path / "locked" / "film.mp4"
        )

    assert said.code == 2
    assert "film.mp4 cannot be written: Permission denied." in said.err
    assert visionpulse("list").out == ""


def test_json_errors_are_problem_objects(visionpulse):
    """With `--json` an error is one object on stdout, for programs."""
    problem = visionpulse("create", "--text", SCRIPT, "--voice", "aloy", *ONLY_PLAN, "--json").json

    assert problem["type"] == "urn:visionpulse:unknown_name"
    assert problem["code"] == "unknown_name"
    assert "'alloy'" in problem["detail"]
    assert problem["title"]
    assert {"hint", "video_id"} <= problem.keys()


def test_a_missing_key_is_3(visionpulse):
    """OpenAI without a key is a matter of set-up; offline is offered."""
    said = visionpulse("create", "--text", SCRIPT, "--provider", "openai")

    assert said.code == 3
    assert "OPENAI_API_KEY is not set" in said.err
    assert "--provider offline" in said.err
    assert "Pipeline(" not in said.err


@pytest.mark.parametrize("command", [["list"], ["create", "--text", SCRIPT, *ONLY_PLAN]])
def test_a_home_that_cannot_be_made_is_3(visionpulse, tmp_path, command):
    """A folder that the system refuses is a matter of set-up, and --home is offered."""
    (tmp_path / "file").touch()

    said = visionpulse(*command, "--home", tmp_path / "file" / "home")

    assert said.code == 3
    assert "--home" in said.err


def test_an_output_folder_that_cannot_be_written_is_3(visionpulse, tmp_path):
    """The same holds for the storage below it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "output").touch()

    said = visionpulse("create", "--text", SCRIPT, *ONLY_PLAN)

    assert said.code == 3, said.err
    assert "--home" in said.err


@pytest.mark.parametrize("kind", [errors.StorageError, errors.RepositoryError])
@pytest.mark.parametrize("code", ["not_writable", "disk_full"])
def test_a_full_disk_is_set_up_at_the_start_and_a_failure_later(kind, code):
    """Before a video is begun there is nothing to resume: 3; after that 1."""
    error = kind("No.", code=code)

    assert cli._exit_code(error, begun=False) == 3
    assert cli._exit_code(error, begun=True) == 1
    assert cli._exit_code(kind("Damaged."), begun=False) == 1


def test_a_wrong_setting_is_3(visionpulse):
    """A variable that cannot be used is named."""
    said = visionpulse("list", VISIONPULSE_BUDGET="much")

    assert said.code == 3
    assert "VISIONPULSE_BUDGET" in said.err


@contextlib.contextmanager
def refusing_vendor():
    """A server that answers every request with 401 and part of the key, as OpenAI does."""

    class Handler(http.server.BaseHTTPRequestHandler):
        asked = 0

        def do_POST(self):
            Handler.asked += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(
                {"error": {"message": "Incorrect key: sk-hidden", "code": "invalid_api_key"}}
            ).encode()
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", Handler
        finally:
            server.shutdown()
            thread.join()


def test_a_budget_is_4_and_nothing_is_asked(visionpulse):
    """A cap of nothing stops before the first paid call."""
    with refusing_vendor() as (url, vendor):
        said = visionpulse(
            "create", "--text", SCRIPT, "--provider", "openai", "--max-cost", "0",
            OPENAI_API_KEY="sk-hidden-1234", OPENAI_BASE_URL=url,
        )  # fmt: skip

    assert said.code == 4, said.err
    assert vendor.asked == 0


def test_a_failure_is_1_and_says_how_to_go_on(visionpulse):
    """When the vendor fails: what happened, the command to go on with, and no part of the key."""
    with refusing_vendor() as (url, vendor):
        variables = {"OPENAI_API_KEY": "sk-hidden-1234", "OPENAI_BASE_URL": url}
        said = visionpulse("create", "--text", SCRIPT, "--home", "my films", **variables)
        asked = vendor.asked
        as_json = visionpulse("create", "--text", SCRIPT, "--json", **variables)
    listed = visionpulse("list", "--home", "my films", "--status", "failed", "--json").json
    video_id = listed["items"][0]["id"]
    shown = visionpulse("show", video_id, "--home", "my films").out

    assert said.code == 1
    for line in (
        "status +failed",
        r"progress +\d+%",
        "error +.+",
        "hint +.+",
        f"go on with +visionpulse resume {video_id} --home 'my films'",
    ):
        assert re.search(rf"^{line}$", shown, re.MULTILINE), line
    assert asked > 0
    assert f"visionpulse resume {video_id} --home 'my films'" in said.err
    assert as_json.json["code"] == "invalid_api_key"
    assert re.fullmatch("[0-9a-f]{32}", as_json.json["video_id"])
    assert "hidden" not in said.err + as_json.out + as_json.err


def test_a_title_cannot_command_the_terminal(visionpulse):
    """A title is one line, whatever it holds; a pipe gets no colours."""
    title = "Red\ndoor\r\x1b[2J\x07"
    said = visionpulse("create", "--text", SCRIPT, *ONLY_PLAN, "--title", title)
    listed = visionpulse("list")

    assert len(listed.out.splitlines()) == 1
    assert "Red door" in listed.out
    assert listed.out.isprintable()
    assert "\x1b" not in said.out + said.err


def test_videos_are_listed_shown_cancelled_and_deleted(visionpulse):
    """The life of a video after it was made, from its id alone."""
    made = [
        visionpulse("create", "--text", SCRIPT, *ONLY_PLAN, "--title", title, "--json").json["id"]
        for title in ("First", "Second")
    ]

    lines = visionpulse("list").out.splitlines()
    page = visionpulse("list", "--limit", "1", "--json").json
    after = visionpulse("list", "--limit", "1", "--cursor", page["next_cursor"], "--json").json
    shown = visionpulse("show", made[0])
    cancelled = visionpulse("cancel", made[0], "--json").json
    deleted = visionpulse("delete", made[1])
    left = visionpulse("list", "--json").json

    assert [line.split()[0] for line in lines] == made[::-1]
    assert lines[0].endswith("Second")
    assert [page["items"][0]["title"], after["items"][0]["title"]] == ["Second", "First"]
    assert re.search(r"^title +First$", shown.out, re.MULTILINE)
    assert f"go on with visionpulse resume {made[0]}" in shown.out
    assert cancelled["error"]["code"] == "cancelled"
    assert deleted.out == made[1]
    assert [video["id"] for video in left["items"]] == [made[0]]


def test_a_scene_is_shown_with_what_is_said_and_what_is_seen(visionpulse):
    """Per scene: number, id, narration, and the part of the prompt that is its own, shortened."""
    video = visionpulse(
        "create", "--text", f"{SCRIPT} {'Gulls cry ' * 30}.", *ONLY_PLAN, "--scenes", "2", "--json"
    ).json

    shown = visionpulse("show", video["id"]).out

    for number, scene in enumerate(video["scenes"]):
        told = re.search(
            rf"^scene {number} +{scene['id']}\n  says +(.+)\n  shows +(.+)$", shown, re.MULTILINE
        )
        assert told, shown
        assert told[1].split() == scene["text"].split()
        assert scene["prompt"].startswith(told[2].removesuffix("…").rstrip())
        assert len(told[2]) <= 120
    assert STYLES["cinematic"].look[:30] not in shown


def test_a_picture_size_reaches_the_video(visionpulse):
    """`--picture-size` is what the image model is asked for; by default 1024x1024."""
    plan = ("create", "--text", SCRIPT, *ONLY_PLAN, "--json")

    wide = visionpulse(*plan, "--picture-size", "1536x864").json

    assert wide["options"]["picture_size"] == "1536x864"
    assert visionpulse(*plan).json["options"]["picture_size"] == "1024x1024"
    assert visionpulse("estimate", "--text", SCRIPT, "--picture-size", "1536x864").code == 0


def test_an_estimate_calls_nothing_and_counts_what_is_there(visionpulse):
    """The estimate names what is still to be made; after a storyboard that part is there."""
    before = visionpulse("estimate", "--text", SCRIPT, "--provider", "offline")
    visionpulse("create", "--text", SCRIPT, *ONLY_PLAN)
    after = visionpulse("estimate", "--text", SCRIPT, "--provider", "offline", "--json").json

    assert before.code == 0
    assert "1 storyboard" in before.out
    assert "3 spoken sentences" in before.out
    assert "Cost: $0.00." in before.out
    assert after["cached"] == {"prompts": 1}


def test_voices_and_styles_are_listed(visionpulse):
    """The names that --voice and --style take, and what they stand for."""
    styles = visionpulse("styles", "--json").json
    voices = visionpulse("voices", "--provider", "offline", "--json").json

    assert {"cinematic", "anime"} <= {style["name"] for style in styles}
    assert {"alloy", "nova"} <= {voice["name"] for voice in voices}
    assert visionpulse("styles").out.count("\n") == len(styles) - 1
    assert "(is heard as " in visionpulse("voices", "--provider", "offline").out


def test_the_doctor_finds_a_healthy_machine(visionpulse, tmp_path):
    """Where videos can be made every line is a tick, and looking makes nothing."""
    said = visionpulse("doctor", "--provider", "offline")

    assert said.code == 0, said.out
    assert {line[0] for line in said.out.splitlines()} == {"✓"}
    for name in ("Python", "libx264", "libass", "folder", "GB free", "database", "hibari-tts"):
        assert name in said.out
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_names_one_remedy_each(visionpulse, tmp_path):
    """Each broken thing is a cross with what to do; the key is never shown."""
    (tmp_path / "visionpulse.db").write_bytes(b"this is no database" * 300)

    findings = {
        each["name"]: each
        for each in visionpulse(
            "doctor", "--provider", "openai", "--json",
            VISIONPULSE_HOME=str(tmp_path), IMAGEIO_FFMPEG_EXE="/bin/true",
        ).json
    }  # fmt: skip
    keyed = visionpulse("doctor", "--provider", "openai", OPENAI_API_KEY="sk-hidden-1234")
    unset = visionpulse("doctor", VISIONPULSE_BUDGET="much")

    broken = {name for name, finding in findings.items() if not finding["ok"]}
    assert broken == {"ffmpeg", "captions", "database", "OpenAI key"}
    assert all(findings[name]["remedy"] for name in broken)
    assert "hidden" not in keyed.out
    assert unset.code == 3
    assert "✗ settings" in unset.out
    assert "VISIONPULSE_BUDGET" in unset.out
    assert "None" not in unset.out


# A shell's background job, such as this test run may be, is deaf to Ctrl-C.
HEED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from visionpulse.cli import main
main()
"""


def interrupted(
    home: str,
    wait_for: str,
    sent: signal.Signals = signal.SIGINT,
    command: tuple[str, ...] = ("create", "--text", SCRIPT, *SMALL),
) -> Said:
    """Run a command, and press Ctrl-C (or send another signal) when its progress shows a word."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEED, *command, "--home", home],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    seen = ""
    while wait_for not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    time.sleep(0.05)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    return Said(process.returncode, out, seen + err)


@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
def test_a_stopped_run_leaves_a_video_that_goes_on(visionpulse, sent, code):
    """Ctrl-C and SIGTERM: a code of their own, the command to go on with, a cancelled video."""
    said = interrupted("home 2", "Storyboard", sent)

    assert said.code == code
    assert "Traceback" not in said.err
    told = re.search(
        r"stopped; go on with: visionpulse resume ([0-9a-f]{32}) --home 'home 2'", said.err
    )
    assert told, said.err
    video = visionpulse("show", told[1], "--home", "home 2", "--json").json
    assert (video["status"], video["error"]["code"]) == ("failed", "cancelled")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["resume", "edit"])
def test_sigterm_stops_resume_and_edit_alike(visionpulse, command):
    """SIGTERM while a video is gone on with: 143, and the video is recorded as cancelled."""
    made = visionpulse("create", "--text", SCRIPT, *ONLY_PLAN, "--home", "h", "--json").json
    wish = ("--scene", "0", "--prompt", "A pier.") if command == "edit" else ()

    said = interrupted("h", "Pictures", signal.SIGTERM, (command, made["id"], *wish))

    assert said.code == 143
    assert f"visionpulse resume {made['id']} --home h" in said.err
    video = visionpulse("show", made["id"], "--home", "h", "--json").json
    assert video["error"]["code"] == "cancelled"


@pytest.mark.slow
def test_a_stopped_film_is_finished_by_the_command_it_names(visionpulse, tmp_path):
    """After Ctrl-C in the middle, `resume` makes what is missing and no picture twice."""
    said = interrupted("home", wait_for="Film")
    told = re.search(r"resume (\w+)", said.err)
    assert told

    resumed = visionpulse("resume", told[1], "--home", "home", "-o", "film.mp4", "--json").json

    assert resumed["status"] == "completed"
    assert resumed["model_calls"] == 0
    assert (tmp_path / "film.mp4").stat().st_size > 5_000


@pytest.mark.slow
def test_a_film_from_a_script(visionpulse, tmp_path):
    """Create, create again, edit and delete: each makes what is new and says what it made."""
    (tmp_path / "script.txt").write_text(SCRIPT)
    create = ("create", "script.txt", *SMALL, "-o", "out/film.mp4")

    first = visionpulse(*create)
    refused = visionpulse(*create)
    again = visionpulse(*create, "--force", "--json")
    video = visionpulse("list", "--json").json["items"][0]
    edited = visionpulse(
        "edit", video["id"], "--scene", "1", "--prompt", "A lighthouse.", "--json"
    ).json
    shown = visionpulse("show", video["id"])
    visionpulse("delete", video["id"])

    assert first.code == 0, first.err
    assert first.out == "out/film.mp4"
    assert (tmp_path / "out/film.mp4").read_bytes()[4:8] == b"ftyp"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "film.mp4", "film.srt", "film.vtt",
    ]  # fmt: skip
    assert " --> " in (tmp_path / "out/film.srt").read_text()
    assert (tmp_path / "out/film.vtt").read_text().startswith("WEBVTT")
    assert refused.code == 2
    assert again.json["output"] == "out/film.mp4"
    assert again.json["captions"] == {"srt": "out/film.srt", "vtt": "out/film.vtt"}
    assert (edited["output"], edited["captions"]) == (None, {})
    assert "6 model calls" in first.err, "one storyboard, two pictures, three sentences"
    assert "0 model calls, 0 encodes: everything was there already." in again.err
    assert edited["model_calls"] == 1
    assert edited["scenes"][1]["prompt"] == "A lighthouse."
    assert edited["scenes"][0]["image_path"] == video["scenes"][0]["image_path"]
    assert re.search(r"^video +\S+\.mp4$", shown.out, re.MULTILINE)
    assert re.search(r"^scene 0 +\w{8}  0:00\.0 to 0:0\d\.\d$", shown.out, re.MULTILINE)
    assert "go on with" not in shown.out
    assert not list((tmp_path / "home").rglob(f"*{video['id']}*"))


# ------------------------------------------------------------------ scenes


@pytest.fixture
def planned(visionpulse):
    """The id of a video of three scenes that is planned, and no more."""
    return visionpulse("create", "--text", SCRIPT, *ONLY_PLAN, "--json", "-q").json["id"]


def edited(visionpulse, planned, *wishes):
    """Run an edit as far as the storyboard; return the scenes' texts, stripped."""
    said = visionpulse("edit", planned, *wishes, *ONLY_PLAN, "--json", "-q")
    assert said.code == 0, said.err
    return [scene["text"].strip() for scene in said.json["scenes"]]


def test_scenes_are_moved_removed_and_inserted(visionpulse, planned):
    """Each with a word of `edit`; numbers begin at 0."""
    one, two, three = edited(visionpulse, planned, "--title", "The sea")

    moved = edited(visionpulse, planned, "--order", "2, 0,1")
    shorter = edited(visionpulse, planned, "--scene", "1", "--remove")
    longer = edited(visionpulse, planned, "--insert", "1", "--text", "Wind comes.")

    assert moved == [three, one, two]
    assert shorter == [three, two]
    assert longer == [three, "Wind comes.", two]


def test_pictures_and_a_recording_of_ones_own_are_named_on_the_line(visionpulse, tmp_path):
    """`--picture` once for each scene; what cannot be read is named before anything is made."""
    said = visionpulse(
        "create", "--text", SCRIPT, "--picture", tmp_path / "a.png", "--provider", "offline"
    )
    heard = visionpulse(
        "create", "--text", SCRIPT, "--narration", tmp_path / "a.mp3", "--provider", "offline"
    )

    assert (said.code, heard.code) == (2, 2)
    assert "a.png cannot be read" in said.err
    assert "a.mp3 cannot be read" in heard.err


def test_offline_writes_no_scripts(visionpulse):
    """It says so, and what does."""
    said = visionpulse("write", "The tides", "--provider", "offline")

    assert said.code == 3
    assert "cannot write a script" in said.err
    assert "language model" in said.err


def test_a_chain_is_named_with_commas(visionpulse):
    """Every name in it is checked."""
    said = visionpulse("create", "--text", SCRIPT, "--provider", "offline,ofline")

    assert said.code == 2
    assert "'offline'" in said.err
