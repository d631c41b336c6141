import pytest

from engine.checks import possibly_skipped

MAYBE = (
    "inputs: {loud: {type: boolean}}\nsteps:\n  - {id: made, if: inputs.loud and run.id != '', uses: fake.open, with: {message: hello}}\n"
)


@pytest.mark.parametrize(
    "reader",
    [
        '{uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}',
        '{if: inputs.loud, uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}',
        '{if: steps.made.status != "failed", uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}',
        '{if: steps.made.outputs.id != "", uses: fake.say, with: {message: hello}}',
        '{if: inputs.loud or run.id != "", uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}',
        '{for_each: "{{ [steps.made.outputs.id] }}", uses: fake.say, with: {message: hello}}',
    ],
)
def test_unguarded(marked, reader):
    assert marked(possibly_skipped, MAYBE + f"  - {reader}\n") == ["steps.made.outputs.id!"]


@pytest.mark.parametrize(
    "reader",
    [
        "{if: steps.made.status == 'succeeded', uses: fake.say, with: {message: \"{{ steps.made.outputs.id }}\"}}",
        '{if: steps.made.outputs is defined, uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}',
        '{if: steps.made.outputs.size is defined, uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}',
        "{if: inputs.loud and run.id != '', uses: fake.say, with: {message: \"{{ steps.made.outputs.id }}\"}}",
        "{if: run.id != '' and run.trigger == 'cron' and inputs.loud, uses: fake.say, with: {message: \"{{ steps.made.outputs.id }}\"}}",
        "{if: steps.made.status == 'succeeded' and steps.made.outputs.size > 1, uses: fake.say, with: {message: hello}}",
        "{if: steps.made.status == 'succeeded', block: [{uses: fake.say, with: {message: \"{{ steps.made.outputs.id }}\"}}]}",
        "{uses: fake.say, with: {message: \"{{ steps.made.outputs.id | default('') }}\"}}",
        '{uses: fake.say, with: {message: "{{ steps.made.status }}"}}',
    ],
)
def test_guarded(marked, reader):
    assert marked(possibly_skipped, MAYBE + f"  - {reader}\n") == []


def test_a_block_with_a_condition_hides_what_is_inside(marked):
    text = """
        steps:
          - id: all
            if: run.id != ""
            block:
              - {id: made, uses: fake.open, with: {message: hello}}
              - {uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}
          - {uses: fake.say, with: {message: "{{ steps.made.outputs.priority }}"}}
          - {if: steps.all.status == "succeeded", uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}
    """
    assert marked(possibly_skipped, text) == ["steps.made.outputs.priority!"]


def test_rescue_and_always(marked):
    text = """
        steps:
          - id: all
            block:
              - {id: made, uses: fake.open, with: {message: hello}}
            rescue:
              - {id: told, uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}
            always:
              - {id: last, uses: fake.say, with: {message: "{{ steps.told.outputs.message }}"}}
          - {uses: fake.say, with: {message: "{{ steps.last.outputs.message }} {{ steps.told.outputs.message }} {{ steps.made.outputs.id }}"}}
          - {if: steps.all.status == "succeeded", uses: fake.say, with: {message: "{{ steps.made.outputs.size }}"}}
    """
    expected = ["steps.made.outputs.id!", "steps.told.outputs.message!", "steps.told.outputs.message!", "steps.made.outputs.id!"]
    assert marked(possibly_skipped, text) == [*expected, "steps.made.outputs.size!"]


def test_a_block_without_rescue_leaves_no_doubt(marked):
    text = """
        steps:
          - block:
              - {id: made, uses: fake.open, with: {message: hello}}
            always:
              - {uses: fake.say, with: {message: "{{ steps.made.outputs.priority }}"}}
          - {uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}
    """
    assert marked(possibly_skipped, text) == ["steps.made.outputs.priority!"]


def test_continue_on_error(marked):
    text = """
        steps:
          - {id: made, continue_on_error: true, uses: fake.open, with: {message: hello}}
          - {id: many, continue_on_error: true, for_each: [a], key: "{{ item }}", uses: fake.open, with: {message: hello}}
          - {uses: fake.say, with: {message: "{{ steps.made.outputs.id }} {{ steps.many.outputs | length }}"}}
    """
    assert marked(possibly_skipped, text) == ["steps.made.outputs.id!"]


def test_a_condition_about_items_leaves_the_loop_its_list(marked):
    text = """
        steps:
          - {id: some, for_each: [a, b], if: item != "a", key: "{{ item }}", uses: fake.open, with: {message: hello}}
          - {id: none, for_each: [a, b], if: run.id != "", key: "{{ item }}", uses: fake.open, with: {message: hello}}
          - {uses: fake.say, with: {message: "{{ steps.some.outputs | length }} {{ steps.none.outputs | length }}"}}
    """
    assert marked(possibly_skipped, text) == ["steps.none.outputs!"]


def test_finally_sees_everything_as_possibly_not_run(marked):
    text = """
        steps:
          - {id: made, uses: fake.open, with: {message: hello}}
        finally:
          - {id: told, uses: fake.say, with: {message: "{{ steps.made.outputs.id }}"}}
          - {if: steps.made.status == "succeeded", uses: fake.say, with: {message: "{{ steps.made.outputs.id }} {{ steps.told.outputs.message }}"}}
    """
    assert marked(possibly_skipped, text) == ["steps.made.outputs.id!"]
