from engine.checks import write_safety

FIND = "steps:\n  - {id: found, uses: fake.find}\n  - {id: few, uses: fake.find, with: {limit: 5}}\n"


def test_a_loop_of_writes_needs_a_key(marked):
    text = """
        steps:
          - {for_each: [a], uses: fake.open, with: {message: hello}}
          - {for_each: [a], block: [{uses: fake.open, with: {message: hello}}]}
          - {for_each: [a], key: "{{ item }}", uses: fake.open, with: {message: hello}}
          - {for_each: [a], uses: fake.say, with: {message: hello}}
    """
    assert marked(write_safety, text) == ["for_each", "for_each"]


def test_what_an_unlimited_list_finds_is_not_closed(marked):
    loop = '  - {{for_each: "{{{{ steps.{}.outputs.items }}}}", key: "{{{{ item.id }}}}", uses: {}, with: {}}}\n'
    assert marked(write_safety, FIND + loop.format("found", "fake.close", '{id: "{{ item.id }}"}')) == ["steps.found.outputs.items"]
    assert marked(write_safety, FIND + loop.format("few", "fake.close", '{id: "{{ item.id }}"}')) == []
    assert marked(write_safety, FIND + loop.format("found", "fake.open", "{message: hello}")) == []


def test_a_retry_of_its_own_on_a_write_that_is_done_once(marked):
    text = """
        steps:
          - {uses: fake.open, retry: {if: error.status == 503}, with: {message: hello}}
          - {uses: fake.open, retry: {attempts: 3}, with: {message: hello}}
          - {uses: fake.close, retry: {if: error.status == 503}, with: {id: a}}
          - {uses: fake.say, retry: {if: error.status == 503}, with: {message: hello}}
    """
    assert marked(write_safety, text) == ["if", "retry"]


def test_a_retry_without_condition_is_no_help_to_such_a_write(subject):
    text = """
        steps:
          - {uses: fake.open, retry: {attempts: 3}, with: {message: hello}}
          - {retry: {attempts: 3}, block: [{uses: fake.open, with: {message: hello}}, {uses: fake.say, with: {message: hello}}]}
          - {uses: fake.close, retry: {attempts: 3}, with: {id: a}}
    """
    lost, again = write_safety.check(subject(text))
    assert "does not repeat it when its answer is lost" in lost.message
    assert "makes the whole block again" in again.message
    assert {lost.severity, again.severity} == {"warning"}
