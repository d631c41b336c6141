from engine.checks import identifiers


def test_ids_live_in_one_namespace(marked):
    text = """
        steps:
          - {id: a, uses: fake.say, with: {message: hello}}
          - {id: b, block: [{id: a, uses: fake.say, with: {message: hello}}]}
          - {uses: fake.say, with: {message: hello}}
          - {uses: fake.say, with: {message: hello}}
        finally:
          - {id: b, uses: fake.say, with: {message: hello}}
    """
    assert marked(identifiers, text) == ["a!", "b!"]


def test_names_of_loops(marked):
    text = """
        steps:
          - {for_each: [a], as: inputs, uses: fake.say, with: {message: hello}}
          - {for_each: [a], as: user, block: [{for_each: [b], as: user, uses: fake.say, with: {message: hello}}]}
          - {for_each: [a], block: [{block: [{for_each: [b], uses: fake.say, with: {message: hello}}]}]}
          - {for_each: [a], as: team, block: [{for_each: [b], uses: fake.say, with: {message: hello}}]}
          - {for_each: [a], uses: fake.say, with: {message: hello}}
    """
    assert marked(identifiers, text) == ["inputs!", "user!", "[b]!"]


def test_a_key_tells_items_apart(marked):
    text = """
        steps:
          - {for_each: [a], key: "{{ item }}", uses: fake.say, with: {message: hello}}
          - {for_each: [a], key: "n-{{ loop.index }}", uses: fake.say, with: {message: hello}}
          - {for_each: [a], key: item, uses: fake.say, with: {message: hello}}
          - {for_each: [a], as: user, key: "{{ run.id }}", block: [{for_each: [b], key: "{{ user }}", uses: fake.say, with: {message: hello}}]}
    """
    assert marked(identifiers, text) == ["item!", '"{{ run.id }}"!', '"{{ user }}"!']
