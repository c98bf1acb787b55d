"""Reports: the paper's table, intervals, plots; and the files that they are made of."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from longchain.bench import report, report_files, svg
from longchain.bench.report import ScoredRun
from longchain.bench.schema import Prediction, Score
from longchain.bench.score import summarize
from longchain.errors import InputError

KINDS = ("News Report", "Popular Science")


def scored(
    required: int, s_l: float, s_q: float | None = None, length: int = 100, **more: Any
) -> Score:
    scored.count += 1  # type: ignore[attr-defined]
    return Score(
        id=f"{scored.count:03d}",  # type: ignore[attr-defined]
        task="t",
        required=required,
        length=length,
        s_l=s_l,
        s_q=s_q,
        kind=KINDS[required % 2],
        **more,
    )


scored.count = 0  # type: ignore[attr-defined]


def some(s_q: float | None = None) -> list[Score]:
    asked = [100, 499, 500, 1_999, 2_000, 3_999, 4_000, 20_000]
    return [scored(length, 10.0 * place, s_q, length) for place, length in enumerate(asked, 1)]


def test_the_figures_are_those_of_the_summary() -> None:
    scores = some(s_q=80.0)
    made = report.build([ScoredRun("a", scores)])
    assert made.entries[0].summary == summarize(scores)
    _, heads, (row,) = report.build_tables(made)[0]
    assert heads[:5] == ["", "S̄", "S_l", "S_q", "S_l, published count"]
    assert heads[5:7] == ["[0, 500) S_l", "[0, 500) S_q"]
    assert row[1].startswith("62.5 (")
    assert row[5::2] == ["15.0", "35.0", "55.0", "75.0"]
    assert row[6::2] == ["80.0"] * 4


def test_without_a_judge_there_is_the_length_score_alone() -> None:
    _, heads, _ = report.build_tables(report.build([ScoredRun("a", some())]))[0]
    assert heads[:4] == ["", "S_l", "S_l, published count", "[0, 500) S_l"]


def test_all_that_is_counted_and_measured_is_shown() -> None:
    scores = some(70.0)
    scores[0].flags = ["empty", "failed"]
    scores[1].flags = ["wrong language"]
    scores[2].measures = {"rep_4": 0.123456}
    scores[3].quality = {"Clarity": 75.0}
    shown = {title: (heads, rows) for title, heads, rows in
             report.build_tables(report.build([ScoredRun("a", scores)]))}  # fmt: skip
    heads, rows = shown["Counted"]
    counted = dict(zip(heads, rows[0], strict=True))
    assert counted["samples"] == "8"
    assert counted["empty"] == counted["failed"] == counted["wrong language"] == "1"
    assert shown["Other measures"][1] == [["rep_4", "0.1235"]]
    assert shown["Quality by dimension"][1] == [["Clarity", "75.0"]]


def test_the_same_scores_give_the_same_report() -> None:
    scores = some(50.0)
    first, second = (report.to_json(report.build([ScoredRun("a", scores)])) for _ in range(2))
    assert first == second


def test_the_curve_is_the_mean_output_of_each_length() -> None:
    scores = [scored(100, 0, length=50), scored(100, 0, length=150), scored(2_000, 0, length=900)]
    (made,) = report.build([ScoredRun("a", scores)]).entries
    assert made.curve == [(100, 100), (2_000, 900)]
    assert sorted(made.points)[0][:2] == (100, 50)


def test_scores_without_a_required_length_are_reported_too() -> None:
    scores = [Score(id=str(number), task="t", length=10) for number in range(3)]
    made = report.build([ScoredRun("a", scores)])
    assert "| a | – | – |" in report.to_markdown(made)
    assert "<svg" not in report.to_html(made)


def test_several_models_stand_side_by_side() -> None:
    made = report.build([ScoredRun("one|two", some()), ScoredRun("<b>", some()[:4])])
    text = report.to_markdown(made)
    assert "| one\\|two | 45.0 (" in text
    assert "| <b> | 25.0 (" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    first = rows[0].count("|")
    assert all(row.replace("\\|", "").count("|") == first for row in rows[:4])
    found = json.loads(report.to_json(made))
    assert [entry["name"] for entry in found["entries"]] == ["one|two", "<b>"]
    assert found["entries"][0]["summary"]["s_l"] == 45.0


def test_the_page_is_whole_by_itself() -> None:
    about = {"model": "</pre><script>alert(1)</script>"}
    page = report.to_html(report.build([ScoredRun("<b>a & b</b>", some(70.0), about)]))
    assert "<script" not in page
    assert "<b>" not in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    plots = page.split("<svg")[1:]
    assert len(plots) == 6  # scatter, curve, and S_l and S_q by length and by type
    for plot in plots:
        ElementTree.fromstring("<svg" + plot.partition("</svg>")[0] + "</svg>")


def test_what_cannot_be_reported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to report"):
        report.build([])
    with pytest.raises(InputError, match="'a' has no scores"):
        report.build([ScoredRun("a", [])])
    with pytest.raises(InputError, match="two entries are called 'a'"):
        report.build([ScoredRun("a", some()), ScoredRun("a", some())])
    made = report.build([ScoredRun("a", some())])
    with pytest.raises(InputError, match=r"not '\.pdf'"):
        report.write(made, tmp_path / "a.pdf")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        report.write(made, tmp_path / "file" / "a.md")


@pytest.mark.parametrize("suffix", [".md", ".json", ".HTML"])
def test_a_report_is_written_as_its_name_says(tmp_path: Path, suffix: str) -> None:
    made = report.build([ScoredRun("a", some())])
    report.write(made, tmp_path / f"report{suffix}")
    text = (tmp_path / f"report{suffix}").read_text()
    assert text == report.render(made, suffix)
    assert text.startswith({".md": "# ", ".json": "{", ".HTML": "<!doctype"}[suffix])


# Plots ---------------------------------------------------------------------------------------


def elements(drawn: str, tag: str, kind: str) -> list[Any]:
    root = ElementTree.fromstring(drawn)
    return [
        one for one in root.iter(f"{{http://www.w3.org/2000/svg}}{tag}") if one.get("class") == kind
    ]


def test_points_stand_where_they_belong() -> None:
    points = [(100, 100), (1_000, 1_000), (1_000, 0), (5_000, 500)]
    drawn = svg.log_plot([svg.Series("a", points)], title="t", x="x", y="y")
    places = [
        (float(one.get("cx")), float(one.get("cy"))) for one in elements(drawn, "circle", "point")
    ][:-1]  # the last one is the legend's
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = places
    (equal,) = elements(drawn, "path", "equal")
    left, bottom, right, top = map(float, equal.get("d").replace("M", "").replace("L", " ").split())
    # Equal factors are equal distances, on both axes; what is empty stands on the lower edge.
    assert (x1 - x0) / (right - left) == pytest.approx((y0 - y1) / (bottom - top), abs=0.01)
    assert (x3 - x1) / (x1 - x0) == pytest.approx(math.log10(5), abs=0.01)
    assert y2 == bottom
    assert x2 == x1
    assert y3 > y1


def test_bars_are_as_high_as_their_values() -> None:
    bars = [svg.Bars("a", [50.0, None], [(40.0, 60.0), None]), svg.Bars("b", [100.0, 25.0])]
    drawn = svg.bar_plot(["one", "two"], bars, title="t", y="y")
    root = ElementTree.fromstring(drawn)
    heights = [
        float(one.get("height", ""))
        for one in root.iter("{http://www.w3.org/2000/svg}rect")
        if one.get("class") is None
    ]
    assert [height / heights[1] for height in heights] == pytest.approx([0.5, 1.0, 0.25], abs=0.01)
    assert len(elements(drawn, "path", "whisker")) == 1
    assert "a, one: 50.0 (40.0 to 60.0)" in drawn


# Files ---------------------------------------------------------------------------------------


def written(path: Path, **more: Any) -> Path:
    made = [
        Prediction(id=str(number), task="t", prompt="Write 4 words.", length=4,
                   response="One two three four.", model="m", mode="sequential", **more)
        for number in range(2)
    ]  # fmt: skip
    path.write_text("".join(one.model_dump_json() + "\n" for one in made))
    return path


def test_an_entry_is_made_of_predictions_or_scores(tmp_path: Path) -> None:
    path = written(tmp_path / "pred.jsonl", settings={"length_control": False})
    entry = report_files.load(str(path))
    assert entry.name == "m, sequential, open loop"
    assert [score.s_l for score in entry.scores] == [100.0, 100.0]
    made = report_files.collect_metadata(
        [Prediction.model_validate_json(path.read_text().splitlines()[0])], path
    )
    report_files.write_scores(entry.scores, tmp_path / "scores.jsonl", made)
    again = report_files.load(str(tmp_path / "scores.jsonl"))
    assert (again.name, list(again.scores)) == (entry.name, list(entry.scores))
    assert report_files.load(f"a name={path}").name == "a name"
    odd = written(tmp_path / "a=b.jsonl")
    assert report_files.load(str(odd)).name == "m, sequential"


def test_what_differs_between_predictions_is_not_told(tmp_path: Path) -> None:
    first, second = (
        Prediction(id="1", task="t", prompt="p", model=model, mode="direct") for model in "ab"
    )
    made = report_files.collect_metadata([first, second])
    assert (made.model, made.mode) == ("", "direct")


def test_a_damaged_score_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(Score(id="1", task="t").model_dump_json() + '\n{"id": 1}\n')
    with pytest.raises(InputError, match="line 2, is no score"):
        report_files.load(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        report_files.load(str(tmp_path / "missing.jsonl"))
