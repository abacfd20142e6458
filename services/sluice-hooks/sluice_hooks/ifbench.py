"""slime's reward `ifbench`: 1.0 where a response follows every instruction of its row, strictly, else 0.0.

    PYTHONPATH=/path/to/IFBench sluice-hooks --reward sluice_hooks.ifbench.reward

The instructions are checked by allenai's IFBench (https://github.com/allenai/IFBench), which is no package of an index: clone it,
install its requirements.txt and put it on PYTHONPATH. slime fetches it by itself when it is imported; nothing is fetched here.
A row's metadata is slime's: instruction_id_list, kwargs (one dictionary an instruction, or one for all), prompt_text, record_id.
"""

from typing import Any

try:
    import evaluation_lib
except ImportError as fault:
    raise ImportError(
        f"the reward ifbench needs allenai's IFBench on PYTHONPATH ({fault}): git clone https://github.com/allenai/IFBench, "
        "pip install -r IFBench/requirements.txt, and start with PYTHONPATH=IFBench"
    ) from fault


def reward(args: Any, sample: Any, **further: Any) -> float:
    """fn(args, sample) of --reward."""
    metadata = sample.metadata or {}
    instructions = [str(one).strip() for one in metadata.get("instruction_id_list") or [] if one and str(one).strip()]
    if not instructions:
        raise ValueError("the row's metadata has no instruction_id_list; ifbench judges nothing else")
    prompt = str(metadata.get("prompt_text") or "")
    example = evaluation_lib.InputExample(
        key=int(metadata.get("record_id") or 0),
        instruction_id_list=instructions,
        prompt=prompt,
        kwargs=arguments(metadata.get("kwargs"), len(instructions)),
    )
    outcome = evaluation_lib.test_instruction_following_strict(example, {prompt: sample.response or ""})
    return 1.0 if outcome.follow_all_instructions else 0.0


def arguments(given: Any, instructions: int) -> list[dict[str, Any]]:
    """One dictionary an instruction; the last one given goes for those that have none, and absent values are left out."""
    known = given if isinstance(given, list) else [given] * instructions
    known = [one if isinstance(one, dict) else {} for one in known][:instructions]
    known += [known[-1] if known else {}] * (instructions - len(known))
    return [{key: value for key, value in one.items() if value is not None} for one in known]
