"""Which models are advised: the order, the reasons, and what is left out and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.engine.encoders.entries import Entry, read_entries
from app.engine.installing.advising import advise, duration
from app.engine.installing.measuring import CONVOLUTIONS, EIGHT_BIT, TRANSFORMER, Measured, kind_of
from app.engine.installing.reckoning import EXAMPLE_ITEMS, PATIENCE_S, Machine
from app.engine.modeltypes import Advice, Needs, Recommendation
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import Modality
from app.paths import resources_dir

TEXT, IMAGE, AUDIO = Modality.TEXT, Modality.IMAGE, Modality.AUDIO
CPU = Machine("cpu", 16_000_000_000)
GPU = Machine("cuda", 16_000_000_000)
LARGE = Machine("cpu", 64_000_000_000, cores=64)
SHIPPED = read_entries(resources_dir() / "models.toml")


def entry(key: str, **other: object) -> Entry:
    facts: dict[str, object] = {
        "key": key, "name": key.upper(), "family": "open_clip", "architecture": "ViT",
        "accepts": frozenset({TEXT, IMAGE}),
        "dim": 512, "revision": 1, "batch_size": 32, "licence": "MIT", "licence_note": "Free for any use.",
        "summary": "", "parameters": 1, "languages": ("en",), "files": ("*.safetensors",), "commercial": True,
        "picture": PictureInput(224, 224), "memory_bytes": 1_000_000_000, "download_bytes": 600_000_000, "gflops": 10.0,
    }  # fmt: skip
    return Entry(**{**facts, **other})  # type: ignore[arg-type]


BEST = entry("best", languages=("mul",), gflops=100.0)
ENGLISH = entry("english", gflops=20.0)
FAST = entry("english-int8", variant_of="english", gflops=20.0)
RESEARCH = entry("research", commercial=False, licence_note="Research only.")
UNKNOWN = entry("unknown", commercial=None, licence_note="")
GIANT = entry("giant", memory_bytes=30_000_000_000)
LOOK = entry("look", accepts=frozenset({IMAGE}), languages=(), architecture="resnet50", family="resnet50", gflops=4.0)
SOUND = entry("sound", accepts=frozenset({AUDIO}), picture=None, sound=SoundInput(32000), languages=(), family="panns")
CLAP = entry("clap", accepts=frozenset({TEXT, AUDIO}), picture=None, sound=SoundInput(48000))
COLOUR = entry("colour", accepts=frozenset({IMAGE}), files=(), languages=(), memory_bytes=0, gflops=0.0)
TIMBRE = entry("timbre", accepts=frozenset({AUDIO}), files=(), languages=(), picture=None, sound=SoundInput(32000))
ENTRIES = (BEST, ENGLISH, FAST, RESEARCH, UNKNOWN, GIANT, LOOK, CLAP, SOUND, COLOUR, TIMBRE)


def asked(
    needs: Needs,
    items: int = 1000,
    machine: Machine = CPU,
    measured: Measured = Measured(),  # noqa: B008 - frozen
    ready: frozenset[str] = frozenset({"colour", "timbre"}),
    entries: tuple[Entry, ...] = ENTRIES,
) -> Advice:
    advice = advise(needs, entries, ready, {IMAGE: items, AUDIO: items // 10}, machine, measured)
    assert {one.key for one in (*advice.best, *advice.others)} == {each.key for each in entries}
    assert all(one.reasons for one in advice.best)
    assert all(len(one.cautions) == 1 for one in advice.others)
    return advice


def keys(advice: Advice) -> list[str]:
    return [one.key for one in advice.best]


def one(advice: Advice, key: str) -> Recommendation:
    return next(each for each in (*advice.best, *advice.others) if each.key == key)


def why_not(advice: Advice, key: str) -> str:
    assert key not in keys(advice)
    return " ".join(one(advice, key).cautions)


PICTURES = Needs(frozenset({IMAGE}))


def test_the_order_is_the_catalogues_with_what_is_heavy_later_and_the_built_in_models_last() -> None:
    advice = asked(PICTURES)
    assert keys(advice) == ["english", "english-int8", "unknown", "best", "research", "colour"]
    assert keys(asked(PICTURES, machine=GPU)) == ["best", "english", "unknown", "research", "colour"]
    assert "Built in: nothing to download." in one(advice, "colour").reasons
    assert "takes no words" in why_not(advice, "look")
    assert why_not(advice, "sound") == why_not(advice, "timbre") == "It does not compare pictures."
    assert "30.0 GB of memory, which is too much for this machine's 16.0 GB" in why_not(advice, "giant")
    assert advice.device == "cpu"


def test_by_example_models_that_take_no_words_come_first_and_classics_last() -> None:
    example = replace(PICTURES, by_words=False, languages=())
    advice = asked(example)
    assert keys(advice) == ["look", "english", "english-int8", "unknown", "best", "research", "colour"]
    classic = (replace(LOOK, baseline=True), BEST, ENGLISH, COLOUR)
    assert keys(asked(example, entries=classic)) == ["english", "best", "look", "colour"]
    assert one(advice, "look").reasons[0] == "Finds pictures by example."


def test_a_model_of_all_the_languages_comes_before_one_of_some_and_one_of_none_does_not_fit() -> None:
    entries = (ENGLISH, BEST, COLOUR)
    assert keys(asked(PICTURES, entries=entries)) == ["english", "best", "colour"]
    advice = asked(replace(PICTURES, languages=("de-AT", "en")), entries=entries)
    assert keys(advice) == ["best", "english", "colour"]
    assert one(advice, "english").cautions == ("Does not understand German.",)
    assert "Understands many languages." in one(advice, "best").reasons
    assert why_not(asked(replace(PICTURES, languages=("de",)), entries=entries), "english") == (
        "It understands English, not German."
    )


def test_a_model_whose_languages_nobody_named_is_a_matter_of_trying() -> None:
    unnamed = replace(ENGLISH, languages=())
    advice = asked(PICTURES, entries=(unnamed, BEST))
    assert keys(advice) == ["best", "english"]
    assert one(advice, "english").cautions == ("Which languages it understands is not known.",)
    anything = asked(replace(PICTURES, languages=()), entries=(unnamed, BEST))
    assert keys(anything) == ["english", "best"]
    assert not any("Understands ." in reason for reason in one(anything, "english").reasons)


def test_a_licence_counts_at_work_and_is_a_caution_elsewhere() -> None:
    advice = asked(replace(PICTURES, commercial=True))
    assert keys(advice) == ["english", "english-int8", "best", "colour"]
    assert why_not(advice, "research") == "It may not be used at work: Research only."
    assert why_not(advice, "unknown").startswith("Whether it may be used at work is not known")
    assert one(asked(PICTURES), "research").cautions == ("It may not be used at work: Research only.",)


def test_pictures_and_sounds_take_turns() -> None:
    advice = asked(Needs(frozenset({IMAGE, AUDIO})))
    assert keys(advice)[:4] == ["english", "clap", "english-int8", "unknown"]
    assert keys(advice)[-2:] == ["colour", "timbre"]
    assert (one(advice, "best").items, one(advice, "clap").items) == (1000, 100)
    assert one(advice, "best").vectors_bytes == 1000 * 512 * 2


def test_eight_bits_are_offered_on_the_cpu_alone() -> None:
    assert "english-int8" in keys(asked(PICTURES))
    assert "without a GPU" in why_not(asked(PICTURES, machine=GPU), "english-int8")
    assert "Intel and AMD" in why_not(asked(PICTURES, machine=replace(CPU, eight_bit=False)), "english-int8")


def test_what_eight_bits_gain_and_cost_is_said() -> None:
    rates = {"english": {"image": 20.0}, "english-int8": {"image": 62.0}}
    advice = asked(PICTURES, measured=Measured(rates, cosine={"english-int8": 0.9987}))
    sentence = next(reason for reason in one(advice, "english-int8").reasons if "×" in reason)
    assert sentence.startswith("About 3.1× as fast as ENGLISH, and a little less exact, cosine 0.999")
    assert "Evaluate" in sentence


def test_time_is_items_by_rate_of_what_was_measured_and_what_was_not_is_reckoned() -> None:
    nothing = asked(PICTURES, machine=GPU)
    assert one(nothing, "best").seconds is None
    assert not one(nothing, "best").measured
    probes = {TRANSFORMER: 200.0, EIGHT_BIT: 500.0, CONVOLUTIONS: 50.0}
    by_probe = asked(replace(PICTURES, by_words=False), measured=Measured(gflops_per_s=probes))
    assert one(by_probe, "best").seconds == pytest.approx(1000 * 100 / 200)
    assert one(by_probe, "english-int8").seconds == pytest.approx(1000 * 20 / 500)
    assert one(by_probe, "look").seconds == pytest.approx(1000 * 4 / 50)
    assert one(by_probe, "colour").seconds is None, "it has no known cost"
    by_other = asked(PICTURES, measured=Measured({"english": {"image": 5.0}}, gflops_per_s=probes))
    assert one(by_other, "english").seconds == pytest.approx(200)
    assert one(by_other, "english").measured
    assert one(by_other, "best").seconds == pytest.approx(1000), "from the model that was measured, not the probe"
    assert not one(by_other, "best").measured


def test_decoding_adds_to_the_time_on_a_cpu_and_hides_behind_a_gpu() -> None:
    measured = Measured({"english": {"image": 10.0}}, decode_s={"image": 0.05})
    assert one(asked(PICTURES, measured=measured), "english").seconds == pytest.approx(150)
    assert one(asked(PICTURES, measured=measured, machine=GPU), "english").seconds == pytest.approx(100)
    quick = Measured({"english": {"image": 1000.0}}, decode_s={"image": 0.05})
    assert one(asked(PICTURES, measured=quick, machine=GPU), "english").seconds == pytest.approx(50)


def test_where_the_best_would_take_too_long_those_that_do_not_come_first_and_say_so() -> None:
    measured = Measured({"best": {"image": 4.0}, "english": {"image": 80.0}, "english-int8": {"image": 240.0}})
    assert keys(asked(PICTURES, 10_000, measured=measured))[0] == "best"
    advice = asked(PICTURES, 400_000, measured=measured)
    assert keys(advice) == ["english", "english-int8", "unknown", "best", "research", "colour"]
    assert (
        one(advice, "english").reasons[-1]
        == "Done with this library in about 83 minutes; BEST would take about 28 hours."
    )
    assert one(advice, "best").cautions == ("Would take about 28 hours for this library on this machine.",)
    assert 400_000 / 4.0 > PATIENCE_S > 400_000 / 80.0


def test_what_takes_long_for_one_item_comes_later_in_a_small_library_too_and_says_so() -> None:
    slow = Measured({"best": {"image": 0.267}, "english": {"image": 1.6}, "english-int8": {"image": 3.4}})
    for items in (0, 100):
        advice = asked(PICTURES, items, measured=slow, entries=(BEST, ENGLISH, FAST))
        assert keys(advice) == ["english-int8", "english", "best"]
        assert "Takes about 3.7 s a picture here." in one(advice, "best").reasons
        assert one(advice, "best").cautions == ("Heavy work for a computer without a graphics card.",)
    fast = Measured({"best": {"image": 1.0}, "english": {"image": 30.0}, "english-int8": {"image": 40.0}})
    for told in asked(PICTURES, 10, measured=fast, entries=(BEST, ENGLISH, FAST)).best:
        assert not any("would take" in reason for reason in told.reasons)  # all take less than a minute
    assert one(asked(PICTURES, machine=GPU, measured=slow), "best").cautions == ()


def test_before_anything_is_measured_a_processor_is_taken_for_a_usual_one() -> None:
    advice = asked(PICTURES, 0, entries=(BEST, ENGLISH, FAST))
    assert keys(advice) == ["english", "english-int8", "best"]
    english = one(advice, "english")
    assert (english.items, english.assumed, english.rough, english.measured) == (EXAMPLE_ITEMS, True, True, False)
    assert english.seconds == pytest.approx(EXAMPLE_ITEMS * 20.0 / 100.0)
    assert "Would encode roughly 5 pictures a second here." in english.reasons
    assert "Would take roughly 1 s a picture here." in one(advice, "best").reasons
    heavy = (replace(BEST, gflops=110.0), ENGLISH)
    assert keys(asked(PICTURES, 0, LARGE, entries=heavy))[0] == "english", "further cores are not counted on"
    quick = asked(PICTURES, 1000, LARGE, Measured({"best": {"image": 30.0}}), entries=heavy)
    assert keys(quick)[0] == "best", "until they are measured"
    assert not one(quick, "english").rough
    assert not one(quick, "english").assumed


def test_that_no_model_finds_a_kind_by_these_words_is_said_with_what_does_by_example() -> None:
    both = Needs(frozenset({IMAGE, AUDIO}), languages=("de",))
    assert asked(both).notes == ("No model finds sounds by words in German; by example: SOUND and CLAP.",)
    assert asked(replace(both, languages=("en",))).notes == ()
    assert asked(replace(both, by_words=False)).notes == ()
    assert asked(Needs(frozenset({AUDIO})), entries=(BEST, TIMBRE)).notes == (
        "No model finds sounds by words in English; by example: TIMBRE.",
    )


def test_where_all_take_too_long_the_fastest_is_first() -> None:
    measured = Measured({"best": {"image": 1.0}, "english": {"image": 3.0}, "english-int8": {"image": 9.0}})
    advice = asked(PICTURES, 1_000_000, measured=measured, entries=(BEST, ENGLISH, FAST))
    assert keys(advice) == ["english-int8", "english", "best"]


def test_what_is_here_already_needs_no_download() -> None:
    advice = asked(PICTURES, ready=frozenset({"english"}))
    assert "Already here: nothing to download." in one(advice, "english").reasons
    assert one(advice, "english").download_bytes == 0
    assert one(advice, "best").download_bytes == 600_000_000


def test_half_of_the_memory_is_worth_a_caution() -> None:
    machine, large = Machine("cpu", 5_000_000_000), replace(ENGLISH, memory_bytes=2_600_000_000)
    advice = asked(PICTURES, machine=machine, entries=(large,))
    assert one(advice, "english").cautions == ("Takes about 2.6 GB of this machine's 5.0 GB of memory.",)
    assert asked(PICTURES, machine=replace(machine, memory_bytes=4_500_000_000), entries=(large,)).best == ()


def test_the_shipped_catalogue_gives_sound_advice() -> None:
    german = advise(replace(PICTURES, languages=("de",)), SHIPPED, frozenset(), {}, CPU, Measured())
    assert german.best[0].key == "siglip2-b-16"
    assert "clip-vit-b-32" in [one.key for one in german.others]
    assert german.best[-1].key == "colour-texture"
    english = [one.key for one in advise(PICTURES, SHIPPED, frozenset(), {IMAGE: 100_000}, CPU, Measured()).best]
    assert english[0] == "siglip2-b-16"
    assert english[-2:] == ["mobileclip-s2", "colour-texture"]
    assert advise(PICTURES, SHIPPED, frozenset(), {}, GPU, Measured()).best[0].key == "siglip2-so400m-14"
    example = Needs(frozenset({IMAGE, AUDIO}), by_words=False, commercial=True)
    shown = [one.key for one in advise(example, SHIPPED, frozenset(), {}, CPU, Measured()).best]
    assert shown[:4] == ["dinov2-vit-b-14", "panns-cnn14", "dinov2-vit-s-14", "panns-cnn10"]
    assert shown[-3:] == ["resnet50", "colour-texture", "timbre"]
    variants = [each for each in SHIPPED if each.variant_of]
    assert variants
    assert {kind_of(each) for each in variants} == {EIGHT_BIT}
    order = [each.key for each in SHIPPED]
    assert all(order.index(each.key) > order.index(each.variant_of) for each in variants)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "less than a minute"),
        (60, "about a minute"),
        (600, "about 10 minutes"),
        (7200, "about 2 hours"),
        (259_200, "about 3 days"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert duration(seconds) == words
