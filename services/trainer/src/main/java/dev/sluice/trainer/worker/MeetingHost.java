package dev.sluice.trainer.worker;

import dev.sluice.trainer.TrainerConfig;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Where other hosts reach this one. */
public final class MeetingHost {
    private MeetingHost() {}

    public static String of(TrainerConfig.Worker config) {
        return config.meetingHost().orElseGet(MeetingHost::name);
    }

    private static String name() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
