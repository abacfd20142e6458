"""Calls may name paths in the allowed folders only."""

import pytest

from sluice_megatron.errors import WorkerError
from sluice_megatron.paths import AllowedRoots


def code(do, path):
    with pytest.raises(WorkerError) as refusal:
        do(str(path))
    assert refusal.value.code == "path_refused"
    return refusal.value.message


def test_paths_in_a_root_are_taken_and_all_others_refused(tmp_path):
    root = tmp_path / "root"
    (root / "there").mkdir(parents=True)
    (tmp_path / "root-beside").mkdir()
    roots = AllowedRoots([root])

    assert roots.existing(f"{root}/x/../there") == root / "there"
    assert roots.absent(f"{root}/new/deep") == root / "new" / "deep"
    assert code(roots.existing, root / "no") == f"{root}/no does not exist"
    assert code(roots.absent, root / "there") == f"{root}/there exists already"
    for path in (f"{root}/../root-beside", f"{root}/../../etc/passwd", "/etc", "there", "", "\0", "/\ud800"):
        assert "is not an absolute path in one of" in code(roots.existing, path)


def test_links_do_not_lead_out(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("x")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path)
    (root / "dangling").symlink_to(tmp_path / "not-yet")
    roots = AllowedRoots([root])

    for path in ("link", "folder/secret", "folder/new", "dangling"):
        assert "is not an absolute path" in code(roots.existing, root / path)
        assert "is not an absolute path" in code(roots.absent, root / path)


def test_a_root_may_itself_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")

    assert AllowedRoots([tmp_path / "root"]).absent(f"{tmp_path}/root/new")
