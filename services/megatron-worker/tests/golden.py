"""Golden files that workers of every language share, read from common/worker-api."""

import json
from pathlib import Path
from types import SimpleNamespace

FIXTURES = Path(__file__).resolve().parents[3] / "common" / "worker-api" / "src" / "test" / "fixtures"
_WORDS = {
    "clipLow": "clip_low",
    "clipHigh": "clip_high",
    "dualClip": "dual_clip",
    "klLossCoefficient": "kl_loss_coefficient",
    "entropyCoefficient": "entropy_coefficient",
    "mtpLossScale": "mtp_loss_scale",
    "oldLogprobs": "old_logprobs",
    "mismatchCorrection": "mismatch_correction",
    "learningRate": "learning_rate",
    "klType": "kl_type",
    "unbiasedKl": "unbiased_kl",
    "opsmDelta": "opsm_delta",
}
_ABSENT = {"dual_clip": None, "mismatch_correction": None, "opsm_delta": None}


def read(name: str) -> dict:
    return json.loads((FIXTURES / "golden" / name).read_text())


def objective(defaults: dict, changed: dict) -> SimpleNamespace:
    """A LossConfig of the golden files as the attributes that losses.Objective names."""
    fields = _ABSENT | {_WORDS.get(name, name): value for name, value in (defaults | changed).items()}
    if fields["mismatch_correction"] is not None:
        fields["mismatch_correction"] = SimpleNamespace(
            **{"level": "token", "veto": None} | fields["mismatch_correction"]
        )
    return SimpleNamespace(**fields)
