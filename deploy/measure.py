#!/usr/bin/env python3
"""Measures the demo: rewards over seeds, a control run that learns nothing, seconds, and the memory of all processes.

    deploy/measure.py [--seeds 1,2,3] [--steps 100] [--control-steps 30] [--work-dir DIR]

Prints one line a run and ratios at the end. Memory is the largest sum of PSS over the command and everything below it,
sampled once a second (Linux only).
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIELDS = ('rewardFirst10', 'rewardLast10', 'evalBefore', 'evalAfter', 'acceptLength')


def family(pid: int) -> list[int]:
    """The process and all processes below it."""
    children: dict[int, list[int]] = {}
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            after_name = stat.read_text().rpartition(')')[2].split()
        except OSError:
            continue
        children.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found, open_ = [], [pid]
    while open_:
        one = open_.pop()
        found.append(one)
        open_ += children.get(one, [])
    return found


def pss_mib(pid: int) -> float:
    try:
        for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def demo(name: str, work: pathlib.Path, *options: str) -> dict:
    directory = work / name
    with open(work / f'{name}.log', 'w') as log:
        process = subprocess.Popen([str(ROOT / 'sluice'), 'demo', '--work-dir', str(directory), *options], stdout=log,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        largest = [0.0]

        def watch() -> None:
            while process.poll() is None:
                largest[0] = max(largest[0], sum(map(pss_mib, family(process.pid))))
                time.sleep(1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        watcher.join()
    report = json.loads((directory / 'report.json').read_text())
    figures = '  '.join(f'{field} {report[field]:.3f}' for field in FIELDS)
    seconds = '  '.join(f'{phase} {value:.1f}' for phase, value in report['seconds'].items())
    print(f'{name}: exit {code}  {report["outcome"]}  {report["steps"]} steps  {figures}', flush=True)
    print(f'    seconds: {seconds}   tokens {report["tokensGenerated"]}   PSS {largest[0]:.0f} MiB', flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', default='1,2,3')
    parser.add_argument('--steps', default='100')
    parser.add_argument('--control-steps', default='30')
    parser.add_argument('--work-dir', type=pathlib.Path)
    arguments = parser.parse_args()
    work = arguments.work_dir or pathlib.Path(tempfile.mkdtemp(prefix='sluice-measure-'))
    work.mkdir(parents=True, exist_ok=True)
    print(f'work directory {work}', flush=True)
    runs = [demo(f'seed-{seed}', work, '--seed', seed, '--steps', arguments.steps)
            for seed in arguments.seeds.split(',') if seed]
    if arguments.control_steps != '0':
        control = demo('control', work, '--learning-rate', '0', '--steps', arguments.control_steps)
        print(f'control: last ten over first ten {control["rewardLast10"] / control["rewardFirst10"]:.3f}')
    for run in runs:
        print(f'{run["runId"]}: last ten over first ten {run["rewardLast10"] / run["rewardFirst10"]:.2f}, '
              f'held-out after over before {run["evalAfter"] / run["evalBefore"]:.2f}')


if __name__ == '__main__':
    main()
