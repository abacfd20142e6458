package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import dev.sluice.domain.memory.DiskSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Room for the log, and for what a run writes to the data root. */
final class DiskCheck implements Check {
    private static final double GIB = 1L << 30;
    /** {@code sluice up} refuses less. */
    private static final double LOG_GIB = 1;
    /** Weight versions that are kept by default, and the one that is written. */
    private static final int VERSIONS = 3;

    @Override
    public String doing() {
        return "looking for room on disks";
    }

    @Override
    public List<Finding> look(Node node) {
        List<Finding> findings = new ArrayList<>();
        findings.add(workDirectory(node.order().workDirectory()));
        node.job().ifPresent(job -> findings.add(dataRoot(node.order().dataRoot(), job)));
        return findings;
    }

    private static Finding workDirectory(Path directory) {
        double free = freeGiB(directory);
        String found = "%.1f GiB free for %s".formatted(free, directory);
        return free >= LOG_GIB
                ? new Ok("work directory", EVERY_BACKEND, found)
                : new Failed(
                        "work directory", EVERY_BACKEND, found, "free 1 GiB at least, or name another by --work-dir");
    }

    private static Finding dataRoot(Path root, Node.Job job) {
        return dataRoot(
                root,
                freeGiB(root),
                DiskSpace.of(job.plan().model(), job.request().training().mtp().train()),
                job.request().checkpoints().keepLast());
    }

    /** @param kept cuts that stay; one more is written before the oldest goes */
    static Finding dataRoot(Path root, double freeGiB, DiskSpace space, int kept) {
        double least = (space.converted() + space.cut() + VERSIONS * space.export()) / GIB;
        double whole = least + kept * space.cut() / GIB;
        String found = ("%.1f GiB free for %s; the converted model takes %.1f, each of %d cuts %.1f, each of %d weight"
                        + " versions %.1f: %.1f GiB in all")
                .formatted(
                        freeGiB,
                        root,
                        space.converted() / GIB,
                        kept + 1,
                        space.cut() / GIB,
                        VERSIONS,
                        space.export() / GIB,
                        whole);
        if (freeGiB < least) {
            return new Failed("disk", EVERY_BACKEND, found, "free some, or put the data root on another disk");
        }
        return freeGiB < whole
                ? new Warning("disk", EVERY_BACKEND, found, "free some, or set checkpoints.keepLast lower")
                : new Ok("disk", EVERY_BACKEND, found);
    }

    private static double freeGiB(Path path) {
        Path here = path.toAbsolutePath();
        while (here != null && !Files.exists(here)) {
            here = here.getParent();
        }
        return freeOf(here);
    }

    private static double freeOf(@Nullable Path here) {
        try {
            return here == null ? 0 : Files.getFileStore(here).getUsableSpace() / GIB;
        } catch (IOException e) {
            return 0; // what cannot be asked has no room that could be counted on
        }
    }
}
