package dev.sluice.domain.search;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.plan.PlanDesk;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.request.RequestReader;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * How long a whole plan takes in a warm JVM: reading the request, search, arguments, reasons. Runs only when it is asked
 * for: {@code ./mvnw -pl common/domain -am test -Dtest=SearchBenchmark -Dsurefire.failIfNoSpecifiedTests=false}
 */
class SearchBenchmark {
    private static final int WARM_UP = 30;
    private static final int MEASURED = 21;

    @Test
    void printsMediansOfPlanning() {
        measure("GLM-4.7-Flash, 8 GPUs", GpuRequests.glm47Flash());
        ObjectNode large = GpuRequests.with("model.path", "\"/data/DeepSeek-V3\"");
        GpuRequests.set(large, "cluster.trainNodes", "128");
        GpuRequests.set(large, "cluster.rolloutNodes", "128");
        GpuRequests.set(large, "rollout.groupsPerStep", "512");
        GpuRequests.set(large, "rollout.speculation.algorithm", "\"auto\"");
        measure("DeepSeek-V3, 1,024 GPUs, colocated", large);
        GpuRequests.set(large, "cluster.placement", "\"auto\"");
        GpuRequests.set(large, "cluster.trainNodes", "64");
        GpuRequests.set(large, "cluster.rolloutNodes", "64");
        measure("DeepSeek-V3, 1,024 GPUs, all pools", large);
    }

    private static void measure(String what, ObjectNode request) {
        String answer = "";
        double[] milliseconds = new double[MEASURED];
        for (int i = -WARM_UP; i < MEASURED; i++) {
            long start = System.nanoTime();
            Verdict verdict = PlanDesk.check(RequestReader.read(request), GpuRequests::elsewhere);
            if (i >= 0) {
                milliseconds[i] = (System.nanoTime() - start) / 1e6;
            }
            answer = verdict instanceof Verdict.Feasible ? "feasible" : "rejected";
        }
        Arrays.sort(milliseconds);
        System.out.printf(
                "%s: %s, median %.1f ms, slowest %.1f ms of %d%n",
                what, answer, milliseconds[MEASURED / 2], milliseconds[MEASURED - 1], MEASURED);
    }
}
