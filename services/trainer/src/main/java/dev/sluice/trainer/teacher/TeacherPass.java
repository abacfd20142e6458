package dev.sluice.trainer.teacher;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.http.HttpCallException;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A teacher is asked about every sample of a batch, some at once. A server that is away, busy or silent is asked again until
 * this is closed; one that refuses a sample or answers wrongly ends the pass.
 */
public final class TeacherPass implements AutoCloseable {
    private static final String NO_TROUBLE = "no call has failed";
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
    private static final int DOUBLINGS = 6;

    private final TeacherServer server;
    private final URI address;
    private final BatchRows rows;
    private final Duration callDeadline;
    private final float[] column;
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger told = new AtomicInteger();
    private final CompletableFuture<float[]> done = new CompletableFuture<>();
    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("teacher-", 0).factory());
    private volatile String trouble = NO_TROUBLE;

    private TeacherPass(URI address, BatchRows rows, Duration callDeadline) {
        this.server = new TeacherServer(address);
        this.address = address;
        this.rows = rows;
        this.callDeadline = callDeadline;
        this.column = new float[rows.tokens().length];
    }

    /**
     * Begins to ask.
     *
     * @param callsAtOnce samples that the server is asked about at the same time
     * @param callDeadline after which a call that is not answered is made again
     */
    public static TeacherPass begin(URI address, BatchRows rows, int callsAtOnce, Duration callDeadline) {
        TeacherPass pass = new TeacherPass(address, rows, callDeadline);
        try {
            for (int i = 0; i < Math.min(callsAtOnce, rows.samples()); i++) {
                pass.threads.execute(pass::askOnAndOn);
            }
        } catch (RejectedExecutionException e) {
            // The first answer was wrong and has ended the pass before all calls were begun.
        }
        return pass;
    }

    /** How things stand, for people. */
    public String situation() {
        return "%d of %d samples are answered by %s; %s".formatted(told.get(), rows.samples(), address, trouble);
    }

    /** Whether it ended within the time, well or not. */
    public boolean endsWithin(Duration time) throws InterruptedException {
        try {
            done.get(time.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true;
        }
    }

    /**
     * The log-probabilities of a pass that has ended: f32[T], nats, prompts 0.
     *
     * @throws TrainingRefusedException if the server refuses a sample, or answered wrongly
     */
    public float[] column() {
        if (done.isCompletedExceptionally() && done.exceptionNow() instanceof RuntimeException failure) {
            throw failure;
        }
        return done.join();
    }

    private void askOnAndOn() {
        try {
            for (int row = begun.getAndIncrement(); row < rows.samples(); row = begun.getAndIncrement()) {
                ask(row);
                if (told.incrementAndGet() == rows.samples()) {
                    done.complete(column);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            done.completeExceptionally(e);
            threads.shutdownNow();
        }
    }

    private void ask(int row) throws InterruptedException {
        int begin = rows.cuSeqlens()[row];
        int[] tokens = Arrays.copyOfRange(rows.tokens(), begin, rows.cuSeqlens()[row + 1]);
        int prompt = rows.promptLengths()[row];
        for (int attempt = 0; ; attempt++) {
            try {
                float[] logprobs = server.logprobs(tokens, prompt, callDeadline);
                System.arraycopy(logprobs, 0, column, begin + prompt, logprobs.length);
                trouble = NO_TROUBLE;
                return;
            } catch (HttpCallException e) {
                requireHope(e);
                trouble = String.valueOf(e.getMessage());
            } catch (CancellationException e) {
                trouble = String.valueOf(e.getMessage());
            }
            Thread.sleep(pause(attempt));
        }
    }

    private void requireHope(HttpCallException failure) throws InterruptedException {
        switch (failure.reason()) {
            case INTERRUPTED -> throw new InterruptedException(failure.getMessage());
            // Another engine behind the same address, or the same started anew, may answer.
            case DEADLINE -> {}
            case UNREACHABLE, STATUS, REPLY_TOO_LARGE, NOT_UNDERSTOOD -> {
                if (!failure.mayPass()) {
                    throw new TrainingRefusedException(
                            "the teacher cannot be used: %s; see algorithm.distillation.teacher"
                                    .formatted(failure.getMessage()),
                            failure);
                }
            }
        }
    }

    private static Duration pause(int attempt) {
        Duration doubled = FIRST_PAUSE.multipliedBy(1L << Math.min(attempt, DOUBLINGS));
        return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }

    /** Breaks off what is still asked. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
