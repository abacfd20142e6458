package dev.sluice.rollout.sampling;

import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Opens a run's tokenizer when it is first needed: a big one takes a second, in which the core must not stand still. */
public final class LazySampler implements Callable<GroupSampler>, AutoCloseable {
    private final Path modelDirectory;
    private final GroupSampler.Others others;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Tokenizer tokenizer;
    private @Nullable GroupSampler sampler;
    private boolean closed;

    public LazySampler(Path modelDirectory, GroupSampler.Others others) {
        this.modelDirectory = modelDirectory;
        this.others = others;
    }

    /** @throws IOException if the directory has no usable tokenizer; asked again, it tries again */
    @Override
    public GroupSampler call() throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the run is over");
            }
            if (sampler == null) {
                tokenizer = Tokenizer.open(modelDirectory);
                sampler = new GroupSampler(tokenizer, modelDirectory, others);
            }
            return sampler;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (tokenizer != null) {
                tokenizer.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
