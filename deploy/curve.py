#!/usr/bin/env python3
"""Compares the rewards of the tiny example, trained on policy, with those of a program that shares no code with Sluice.

    deploy/curve.py [--seeds 1,2,3,4,5,6] [--steps 70] [--work-dir DIR]

The same checkpoint and recipe on both sides, seeds of prompts and sampling differ. What the other program came to is in
examples/tiny/on-policy-rewards.csv; the README beside it says how. Prints means over ten steps, and when the moving
average (0.9 of the old, 0.1 of the new, from the first step's reward) passes 0.8 and 0.9. Exit code 1 if the two differ
by more than seeds do: in ten steps by more than three standard errors of the difference of two means, or if a seed of
Sluice needs half as many steps more to 0.9 than the slowest of the other program.
"""
import argparse
import csv
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = ROOT / 'deploy/examples/tiny'
WINDOW = 10
STANDARD_ERRORS = 3
SLOWER = 1.5
RECIPE = ('rollout.maxPolicyLag=0', 'algorithm.oldLogprobs=rollout', 'algorithm.lossNormaliser=token',
          'training.beta2=0.999')
Curves = dict[str, list[float]]


def reference() -> Curves:
    with open(TINY / 'on-policy-rewards.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    return {seed: [float(row[seed]) for row in rows] for seed in rows[0] if seed != 'step'}


def measured(seeds: list[str], steps: int, work: pathlib.Path) -> Curves:
    sluice = str(ROOT / 'sluice')
    up = subprocess.Popen([sluice, 'up', '--json', '--work-dir', str(work)], stdout=subprocess.PIPE, text=True)
    try:
        dashboard = json.loads(up.stdout.readline())['dashboard']
        curves = {}
        for seed in seeds:
            settings = [*RECIPE, f'training.steps={steps}', f'data.seed={seed}']
            subprocess.run([sluice, 'run', str(TINY / 'request.yaml'), '--id', f'seed-{seed}', '--follow', '--work-dir', str(work),
                            *(word for setting in settings for word in ('--set', setting))],
                           stdout=sys.stderr, check=True)
            with urllib.request.urlopen(f'{dashboard.rstrip("/")}/api/runs/seed-{seed}') as page:
                curves[seed] = json.load(page)['series']['rollout/raw_reward']['values']
        return curves
    finally:
        up.terminate()
        up.wait()


def passes(curve: list[float], level: float) -> float:
    average = curve[0]
    for step, reward in enumerate(curve, 1):
        average = 0.9 * average + 0.1 * reward
        if average > level:
            return step
    return math.inf


def mean_and_error(values: list[float]) -> tuple[float, float]:
    return statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5


def compare(ours: Curves, others: Curves) -> bool:
    """Whether they differ no more than seeds do."""
    alike = True
    steps = min(map(len, [*ours.values(), *others.values()]))
    print('steps      the other program            Sluice                       difference, standard errors')
    for first in range(0, steps - WINDOW + 1, WINDOW):
        windows = [[statistics.mean(curve[first:first + WINDOW]) for curve in curves.values()] for curves in (others, ours)]
        (other, other_error), (our, our_error) = map(mean_and_error, windows)
        errors = (our - other) / (other_error ** 2 + our_error ** 2) ** 0.5
        alike &= abs(errors) <= STANDARD_ERRORS
        cells = [f'{mean:.3f} ({min(values):.3f} to {max(values):.3f})' for mean, values in zip((other, our), windows)]
        print(f'{first + 1:3}-{first + WINDOW:<5}  {cells[0]:27}  {cells[1]:27}  {our - other:+.3f}  {errors:+.1f}')
    slowest = {}
    for name, curves in (('the other program', others), ('Sluice', ours)):
        at = {level: [passes(curve, level) for curve in curves.values()] for level in (0.8, 0.9)}
        slowest[name] = max(at[0.9])
        print(f'{name}: average above', ', '.join(f'{level} at steps {" ".join(map(str, steps))}' for level, steps in at.items()))
    return alike and slowest['Sluice'] <= SLOWER * slowest['the other program']


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', default='1,2,3,4,5,6', help='at least two')
    parser.add_argument('--steps', type=int, default=70)
    parser.add_argument('--work-dir', type=pathlib.Path)
    parser.add_argument('--rewards', type=pathlib.Path, help='compare this rewards.json of an earlier call, train nothing')
    arguments = parser.parse_args()
    if arguments.rewards:
        rewards = arguments.rewards
    else:
        work = arguments.work_dir or pathlib.Path(tempfile.mkdtemp(prefix='sluice-curve-'))
        rewards = work / 'rewards.json'
        rewards.write_text(json.dumps(measured(arguments.seeds.split(','), arguments.steps, work)))
    alike = compare(json.loads(rewards.read_text()), reference())
    print('the curves are alike' if alike else f'the curves differ; the rewards are in {rewards}')
    return 0 if alike else 1


if __name__ == '__main__':
    sys.exit(main())
