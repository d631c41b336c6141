from engine.language.grammar_pages import PAGES


def test_pages_stand_in_order_and_start_with_their_id():
    assert list(PAGES) == sorted(PAGES)
    for name, page in PAGES.items():
        assert page.startswith(f"# {name}: ")
        assert page.endswith("\n")
