package dev.sluice.rollout.engine;

import dev.sluice.rollout.assignment.Share;
import java.io.IOException;
import java.util.List;

/** Starts engine processes. */
public interface EngineLauncher {
    /**
     * Starts one engine; it loads its model after that.
     *
     * @param gpus the GPUs of this engine alone
     * @throws IOException if it could not be started; the message says why and what to do
     */
    EngineProcess launch(String engineId, Share share, List<Integer> gpus) throws IOException;
}
