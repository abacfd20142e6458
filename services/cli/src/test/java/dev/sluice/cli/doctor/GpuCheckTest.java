package dev.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cli.doctor.InstalledGpu.Holder;
import dev.sluice.cli.doctor.InstalledGpu.Links;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.events.Backend;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recordings and their origins: src/test/resources/doctor/README.md. */
class GpuCheckTest {
    private static final String RECIPE = "recipes/glm-4.7-flash-8xh100.yaml";

    @TempDir
    private Path directory;

    @Test
    void twoH100AreReadAsTheyWereRecorded() {
        List<InstalledGpu> gpus = InstalledGpu.read(Recordings.read("h100-x2/gpus.csv"));

        assertThat(gpus).hasSize(2);
        InstalledGpu second = gpus.getLast();
        assertThat(second.name()).isEqualTo("NVIDIA H100 80GB HBM3");
        assertThat(second.driver()).isEqualTo("580.159.04");
        assertThat(second.totalMib()).isEqualTo(81_559);
        assertThat(second.freeMib()).isEqualTo(81_079);
        assertThat(second.uncorrectedErrors()).isZero();
        assertThat(second.pcieGeneration()).isEqualTo(5);
        assertThat(second.planned()).contains(Gpu.H100_80);
        assertThat(Links.read(Recordings.read("h100-x2/topo.txt"))).isEqualTo(new Links("NV18", true));
    }

    @Test
    void onlyGpusThatProgramsStartedHereSeeAreLookedAt() {
        List<InstalledGpu> both = InstalledGpu.read(Recordings.read("h100-x2/gpus.csv"));
        InstalledGpu first = both.getFirst();
        InstalledGpu second = both.getLast();

        assertThat(InstalledGpu.visible(both, List.of("1"))).containsExactly(second);
        assertThat(InstalledGpu.visible(both, List.of("1", "0"))).containsExactly(second, first);
        assertThat(InstalledGpu.visible(both, List.of(second.uuid()))).containsExactly(second);
        assertThat(InstalledGpu.visible(both, List.of("0", "-1", "1"))).containsExactly(first);
        assertThat(InstalledGpu.visible(both, List.of("7"))).isEmpty();
    }

    @Test
    void aHealthyPairIsFineUntilAPlanWantsEight() {
        List<InstalledGpu> gpus = InstalledGpu.read(Recordings.read("h100-x2/gpus.csv"));

        List<Finding> unplanned = GpuCheck.judge(Orders.node(directory), gpus, List.of());
        List<Finding> planned = GpuCheck.judge(Orders.node(RECIPE, directory, null), gpus, List.of());

        assertThat(unplanned).allMatch(Finding.Ok.class::isInstance);
        assertThat(planned.getFirst().found()).isEqualTo("2 x NVIDIA H100 80GB HBM3; the plan wants 8 of a node");
        assertThat(planned.getFirst()).isInstanceOf(Finding.Failed.class);
    }

    @Test
    void whoHoldsMemoryIsNamedWithItsGpu() {
        List<Holder> holders = Holder.read(Recordings.read("h100-x2/apps.csv"));
        List<InstalledGpu> gpus =
                InstalledGpu.read(Recordings.read("h100-x2/gpus.csv").replace("81559, 81079", "81559, 77481"));

        Finding memory = GpuCheck.judge(Orders.node(directory), gpus, holders).get(1);

        assertThat(memory).isInstanceOf(Finding.Warning.class);
        assertThat(memory.found()).endsWith("held by python3 (pid 643, 3590 MiB, GPU 1)");
    }

    @Test
    void memoryThatNoProcessIsShownForBelongsToAnotherContainer() {
        List<InstalledGpu> gpus = InstalledGpu.read(Recordings.read("by-format/gpus.csv"));

        List<Finding> findings = GpuCheck.judge(Orders.node(directory), gpus, List.of());

        assertThat(findings.get(1).found())
                .isEqualTo(
                        "20.0 of 80.0 GiB free on the fullest (GPU 1); no process is shown, so another container holds it");
        assertThat(findings.get(2).found())
                .isEqualTo(
                        "GPU 1: 2 uncorrected ECC errors since the driver was loaded; GPU 1: memory waits to be remapped");
    }

    @Test
    void aCardThatCannotBeMendedAndOneInPartsFail() {
        List<InstalledGpu> gpus = InstalledGpu.read(Recordings.read("by-format/broken.csv"));

        List<Finding> findings = GpuCheck.judge(Orders.node(null, directory, Backend.GPU), gpus, List.of());

        assertThat(findings.getFirst().found()).contains("MIG is on for GPU 0");
        assertThat(findings.get(2)).isInstanceOf(Finding.Failed.class);
        assertThat(gpus.getLast().planned()).isEmpty();
        assertThat(gpus.getLast().uncorrectedErrors()).isEqualTo(-1);
    }

    @Test
    void theSlowestLinkOfTwoGpusCountsAndNetworkCardsDoNot() {
        assertThat(Links.read(Recordings.read("by-format/topo.txt"))).isEqualTo(new Links("PHB", false));
        assertThat(Links.read("no matrix")).isNull();
    }

    @Test
    void anAnswerOfOtherFieldsIsShownAsItCame() {
        assertThatThrownBy(() -> InstalledGpu.read("Field \"compute_cap\" is not a valid field to query."))
                .hasMessageContaining("compute_cap")
                .hasMessageContaining("15 fields");
    }
}
