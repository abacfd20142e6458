package dev.sluice.trainer.worker;

import dev.sluice.process.ChildExit;
import dev.sluice.process.ChildProcess;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the ranks of one further node of a worker running for as long as the assignment says so. They end whenever the first
 * node's do, and meet the next ones there: which of them fails, and what follows, is the business of the trainer that drives them.
 */
public final class NodeWorker {
    /** Longer than a first node whose worker fails goes on answering, so that ranks do not join one that ends. */
    private static final Duration PAUSE = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(NodeWorker.class);

    private final TrainedRun run;
    private final int rank;
    private final Duration stopDeadline;
    private final WorkerProgram program;
    private final Thread thread;

    /**
     * @param rank of this node, from 1
     * @param roots directories whose files the ranks may read and write; the data root first
     */
    public NodeWorker(TrainedRun run, int rank, TrainerConfig.Worker config, List<Path> roots) {
        this.run = run;
        this.rank = rank;
        this.stopDeadline = config.stopDeadline();
        this.program = new WorkerProgram(run, config, roots);
        this.thread = Thread.ofPlatform()
                .name("node-" + rank + "-" + run.runId())
                .daemon()
                .unstarted(this::keep);
    }

    public void start() {
        thread.start();
    }

    /** Ends the ranks. */
    public void stop(Duration grace) {
        thread.interrupt();
        try {
            thread.join(grace);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void keep() {
        try {
            while (true) {
                live();
                Thread.sleep(PAUSE);
            }
        } catch (InterruptedException e) {
            LOG.info("the node's ranks are ended runId={} node={}", run.runId(), rank);
        } catch (TrainingRefusedException e) {
            LOG.error(
                    "the node's ranks cannot be started runId={} node={} error={}", run.runId(), rank, e.getMessage());
        }
    }

    private void live() throws InterruptedException {
        ChildProcess process;
        try {
            // Only the first node's ranks are asked anything.
            process = ChildProcess.start(program.nodeCommand(rank, WorkerHost.newToken()));
        } catch (IOException e) {
            LOG.warn("the node's ranks do not start runId={} node={} error={}", run.runId(), rank, e.getMessage());
            return;
        }
        LOG.info("started a node's ranks runId={} node={} pid={}", run.runId(), rank, process.pid());
        try {
            ChildExit exit = process.exited().get();
            LOG.warn("the node's ranks ended runId={} node={} how={}", run.runId(), rank, exit.describe());
        } catch (ExecutionException e) {
            throw new IllegalStateException("waiting for the end of process " + process.pid() + " failed", e);
        } finally {
            // What an ended launcher left behind holds memory of GPUs.
            process.stop(stopDeadline);
        }
    }
}
