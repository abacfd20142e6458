"""Renders the conversations of conversations.json with transformers and writes golden.json and tokenizer.json of each family.

Renders the small templates of snippets.json in the same environment and writes snippets-golden.json.

Run beside this file with transformers 5.24.0, jinja2 3.1.6 and tokenizers 0.23.3: python make_golden.py
The tokenizers are small byte-level BPEs with the special tokens of the family; the real ones have 7 to 20 MB.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.utils.chat_template_utils import _compile_jinja_template

HERE = Path(__file__).parent
PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FAMILIES = {
    "glm-4.7-flash": [
        "<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>", "<think>",
        "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<arg_key>", "</arg_key>",
        "<arg_value>", "</arg_value>",
    ],
    "qwen3": [
        "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<tool_response>",
        "</tool_response>", "<think>", "</think>",
    ],
    "deepseek-v3.1": [
        "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>",
        "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>",
        "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>",
    ],
    "deepseek-r1": [
        "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>",
        "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>",
        "<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>", "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>",
    ],
}


def small_tokenizer(special: list[str], corpus: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    return tokenizer


def case(tokenizer: PreTrainedTokenizerFast, conversation: dict) -> dict:
    arguments = conversation.get("arguments", {})
    options = {
        "tools": conversation.get("tools"),
        "add_generation_prompt": conversation.get("addGenerationPrompt", True),
        **arguments,
    }
    try:
        text = tokenizer.apply_chat_template(conversation["messages"], tokenize=False, **options)
    except Exception as refusal:  # noqa: BLE001 - whatever stops transformers must stop us
        return {"name": conversation["name"], "refused": f"{type(refusal).__name__}: {refusal}"}
    ids = tokenizer.apply_chat_template(conversation["messages"], tokenize=True, return_dict=False, **options)
    return {"name": conversation["name"], "text": text, "ids": ids}


def snippet(template: str, variables: dict) -> dict:
    try:
        return {"text": _compile_jinja_template(template).render(**variables)}
    except Exception as refusal:  # noqa: BLE001 - whatever stops Jinja must stop us
        return {"refused": f"{type(refusal).__name__}: {refusal}"}


def snippets() -> None:
    given = json.loads((HERE / "snippets.json").read_text())
    lines = [json.dumps(snippet(template, given["variables"]), ensure_ascii=False) for template in given["templates"]]
    (HERE / "snippets-golden.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


def main() -> None:
    snippets()
    conversations = json.loads((HERE / "conversations.json").read_text())
    corpus = [json.dumps(conversation, ensure_ascii=False) for conversation in conversations]
    for family, special in FAMILIES.items():
        folder = HERE / family
        small_tokenizer(special, corpus).save(str(folder / "tokenizer.json"), pretty=False)
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        lines = [json.dumps(case(tokenizer, conversation), ensure_ascii=False) for conversation in conversations]
        (folder / "golden.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
