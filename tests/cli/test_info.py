"""``digitcli info``: what there is to know before and after the work."""

import json

import jsonschema


def test_it_shows_versions_layers_and_card(digitcli) -> None:
    done = digitcli("info")
    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "digitcli ",
        "Python 3",
        "numpy ",
        "C1 ",
        "fully connected",
        "61,706",
        "SHA-256: model.tflite",
    ):
        assert text in done.stdout


def test_json_is_the_card_as_it_is(digitcli) -> None:
    card = json.loads(digitcli("info", "--json").stdout)
    assert card["architecture"] == "lenet5"
    assert len(card["files"]["model.tflite"]) == 64


def test_schema_describes_what_classify_writes(digitcli) -> None:
    schema = json.loads(digitcli("info", "--schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    records = digitcli("classify", "tests/samples", "-f", "jsonl").stdout.splitlines()
    assert len(records) > 5
    for record in records:
        jsonschema.validate(json.loads(record), schema)
