package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;
import static dev.sluice.cli.doctor.Need.GPU_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import dev.sluice.cli.doctor.Marks.Mark;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Whether the data root can be written, whether other hosts see the same one, and what its clock says of theirs. */
final class SharedFolderCheck implements Check {
    /** Leases of groups are seconds; a certificate's or a file's age is minutes. */
    private static final Duration CLOCKS_AGREE = Duration.ofSeconds(2);

    private static final Duration CLOCKS_DISAGREE = Duration.ofSeconds(60);

    private final Clock clock;
    private final String host;

    SharedFolderCheck() {
        this(Clock.systemUTC(), hostName());
    }

    SharedFolderCheck(Clock clock, String host) {
        this.clock = clock;
        this.host = host;
    }

    @Override
    public String doing() {
        return "writing to the data root";
    }

    @Override
    public List<Finding> look(Node node) {
        Path root = node.order().dataRoot();
        if (!Files.isDirectory(root) && !node.order().mark()) {
            return absent(root);
        }
        Marks marks = Marks.in(root);
        try {
            Mark own = marks.leave(host, clock.instant());
            List<Mark> others = marks.all(clock.instant()).stream()
                    .filter(mark -> !mark.host().equals(host))
                    .toList();
            if (!node.order().mark()) {
                marks.remove(host);
            }
            List<Finding> findings = new ArrayList<>();
            findings.add(new Ok(
                    "data root",
                    EVERY_BACKEND,
                    root + " is written" + (node.order().mark() ? "; the mark stays" : "")));
            findings.add(seen(node, others));
            findings.add(clock(own, others));
            return findings;
        } catch (IOException e) {
            return List.of(
                    new Failed(
                            "data root",
                            EVERY_BACKEND,
                            root + " cannot be written: " + e,
                            "mount it, correct its rights, or name another by --data-root (sluice.data-root of every service)"));
        }
    }

    /** It is made by whoever starts first; looking leaves nothing behind. */
    private static List<Finding> absent(Path root) {
        Path parent = root.toAbsolutePath();
        while (!Files.isDirectory(parent) && parent.getParent() != null) {
            parent = parent.getParent();
        }
        return List.of(
                Files.isWritable(parent)
                        ? new Ok("data root", EVERY_BACKEND, "%s does not exist yet and can be made".formatted(root))
                        : new Failed(
                                "data root",
                                EVERY_BACKEND,
                                "%s does not exist, and %s cannot be written".formatted(root, parent),
                                "mount it, correct its rights, or name another by --data-root"),
                new NotChecked(
                        "shared folder",
                        GPU_BACKEND,
                        "matters with several nodes alone; there, run sluice doctor --mark on each node first"),
                new NotChecked("clock", EVERY_BACKEND, "there is no data root yet to compare it with"));
    }

    private static Finding seen(Node node, List<Mark> others) {
        int nodes = Math.max(node.order().place().nodes(), nodesOfPlan(node));
        if (others.isEmpty()) {
            String how = "run sluice doctor --mark on each node with the same --data-root, then this again";
            return nodes > 1
                    ? new Warning(
                            "shared folder",
                            GPU_BACKEND,
                            "no mark of another host is in the data root, and %d nodes must share it".formatted(nodes),
                            how)
                    : new NotChecked("shared folder", GPU_BACKEND, "matters with several nodes alone; there, " + how);
        }
        String hosts = others.stream().map(Mark::host).collect(Collectors.joining(", "));
        return others.size() + 1 < nodes
                ? new Warning(
                        "shared folder",
                        GPU_BACKEND,
                        "marks of %s are seen, of %d nodes".formatted(hosts, nodes),
                        "run sluice doctor --mark on the others; a host whose mark is not seen has another folder there")
                : new Ok("shared folder", GPU_BACKEND, "marks of " + hosts + " are seen");
    }

    private static int nodesOfPlan(Node node) {
        return node.job()
                .map(job -> job.request().cluster())
                .map(cluster -> Math.max(cluster.trainNodes(), cluster.rolloutNodes()))
                .orElse(1);
    }

    /** File systems of a network stamp files by their server's clock, which all hosts can be compared with. */
    private static Finding clock(Mark own, List<Mark> others) {
        List<Mark> all = new ArrayList<>(others);
        all.add(own);
        Mark worst = all.stream()
                .max((one, other) -> one.ahead().abs().compareTo(other.ahead().abs()))
                .orElseThrow();
        Duration difference = worst.ahead().abs();
        String found = "%s is %s of the data root's file system".formatted(worst.host(), words(worst.ahead()));
        String mend = "run chrony or systemd-timesyncd on the hosts and on the file server";
        if (difference.compareTo(CLOCKS_DISAGREE) > 0) {
            return new Failed("clock", EVERY_BACKEND, found, mend);
        }
        return difference.compareTo(CLOCKS_AGREE) > 0
                ? new Warning("clock", EVERY_BACKEND, found, mend)
                : new Ok(
                        "clock",
                        EVERY_BACKEND,
                        "within %d ms of the data root's file system on %s"
                                .formatted(
                                        Math.max(1, difference.toMillis()),
                                        others.isEmpty() ? "this host" : all.size() + " hosts"));
    }

    private static String words(Duration ahead) {
        return "%.1f s %s"
                .formatted(
                        ahead.abs().toMillis() / 1000.0,
                        ahead.isNegative() ? "behind the clock" : "ahead of the clock");
    }

    static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unnamed-" + ProcessHandle.current().pid();
        }
    }
}
