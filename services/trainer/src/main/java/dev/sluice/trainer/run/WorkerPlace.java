package dev.sluice.trainer.run;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a worker's processes of this host run.
 *
 * @param gpus indexes among this instance's GPUs; empty: none are leased to it, and it sees all
 * @param meetingHost where its ranks of several nodes meet; absent where it lies on one
 */
public record WorkerPlace(List<Integer> gpus, @Nullable String meetingHost) {
    static final WorkerPlace ANYWHERE = new WorkerPlace(List.of(), null);

    public WorkerPlace {
        gpus = List.copyOf(gpus);
    }
}
