package dev.sluice.trainer.worker;

import dev.sluice.events.TimeSpan;
import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.WorkerTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What a worker did and when, until somebody writes it down. Thread-safe. */
final class WorkerTimes {
    private final List<WorkerTime> times = new ArrayList<>();

    /** Something that began then is over. */
    synchronized void ended(Activity activity, Instant began) {
        Instant now = Instant.now();
        // A clock that was set back has measured nothing.
        if (now.isAfter(began)) {
            times.add(new WorkerTime(activity, new TimeSpan(began, now)));
        }
    }

    /** A call that began then is over. */
    void ended(String path, Instant began) {
        ended(activity(path), began);
    }

    private static Activity activity(String path) {
        return switch (path) {
            case "/load" -> Activity.LOADING;
            case "/export", "/weights/connect", "/weights/send", "/offload", "/onload" -> Activity.SYNCING;
            case "/save" -> Activity.SAVING;
            default -> Activity.TRAINING; // its passes without gradients are part of a step
        };
    }

    /** What was not taken before. */
    synchronized List<WorkerTime> take() {
        List<WorkerTime> taken = List.copyOf(times);
        times.clear();
        return taken;
    }
}
