"""Masks the conversations of masks.json as slime's MultiTurnLossMaskGenerator does and writes masks-golden.json.

Run beside this file with transformers 5.24.0 and slime's slime/utils/mask_utils.py (commit 02cd3966) on the path:
PYTHONPATH=<slime> python make_masks.py

Each conversation names the family whose template and small tokenizer it is read with, a template of its own where it has one,
and slime's loss mask type. The ids and
masks are of the whole conversation; slime's own joins messages that it rendered one by one.
"""

import json
from pathlib import Path

from slime.utils.mask_utils import MultiTurnLossMaskGenerator
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent


class Tokens(PreTrainedTokenizerFast):
    """transformers 5 answers with a dictionary where slime expects ids."""

    def apply_chat_template(self, *args, **kwargs):
        kwargs.setdefault("return_dict", False)
        return super().apply_chat_template(*args, **kwargs)


def tokenizer_of(family: str, given: str | None) -> Tokens:
    config = json.loads((HERE / family / "tokenizer_config.json").read_text())
    template = given or config.get("chat_template")
    if template is None:
        template = (HERE / family / "chat_template.jinja").read_text()
    tokenizer = Tokens(tokenizer_file=str(HERE / family / "tokenizer.json"))
    tokenizer.chat_template = template
    return tokenizer


golden = []
for case in json.loads((HERE / "masks.json").read_text()):
    generator = MultiTurnLossMaskGenerator(tokenizer_of(case["family"], case.get("template")), tokenizer_type=case["lossMaskType"])
    ids, mask = generator.get_loss_mask(case["messages"], tools=case.get("tools"))
    golden.append({"name": case["name"], "ids": ids, "mask": mask})
(HERE / "masks-golden.json").write_text(
    "[\n" + ",\n".join(json.dumps(one) for one in golden) + "\n]\n", encoding="utf-8"
)
