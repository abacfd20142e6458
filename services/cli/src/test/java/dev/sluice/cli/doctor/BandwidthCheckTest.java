package dev.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.doctor.InstalledGpu.Links;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BandwidthCheckTest {
    /** What the program printed on the machine of h100-x2/. */
    private static final String RECORDED = """
            *****************************************
            bandwidth {"ranks": 2, "hosts": ["vm"], "backend": "nccl", "device": "NVIDIA H100 80GB HBM3", "nccl": "2.28.9", \
            "rows": [{"bytes": 1048576, "seconds": 6.899299999929553e-05, "busGBps": 15.2}, \
            {"bytes": 1073741824, "seconds": 0.0033183810000032565, "busGBps": 323.57}]}
            """;

    @TempDir
    private Path directory;

    @Test
    void whatTwoH100ReachedIsToldBesideTheDataSheet() {
        Finding finding = judge(RECORDED, 0, "h100-x2/gpus.csv", "h100-x2/topo.txt");

        assertThat(finding).isInstanceOf(Finding.Ok.class);
        assertThat(finding.found())
                .isEqualTo(
                        "324 GB/s bus bandwidth over 2 GPUs (1024 MiB summed in 3.32 ms, NCCL 2.28.9); NV18 of NVIDIA H100"
                                + " 80GB HBM3 gives 450 each way");
    }

    @Test
    void lessThanHalfOfTheLinkIsAWarning() {
        Finding slow = judge(RECORDED.replace("323.57", "38.2"), 0, "h100-x2/gpus.csv", "h100-x2/topo.txt");
        Finding pcie = judge(RECORDED.replace("323.57", "20.2"), 0, "by-format/gpus.csv", "by-format/topo.txt");

        assertThat(slow).isInstanceOf(Finding.Warning.class);
        assertThat(pcie).isInstanceOf(Finding.Ok.class);
        assertThat(pcie.found()).endsWith("PCIe 4 x16 (PHB) gives 32 each way");
    }

    @Test
    void aProgramThatFailedOrHungIsToldByItsOwnWords() {
        Finding failed = judge(
                "Traceback\n/opt/python3: No module named sluice_megatron\nFAILED",
                1,
                "h100-x2/gpus.csv",
                "h100-x2/topo.txt");
        Finding hung = BandwidthCheck.judge(Orders.node(directory), new Probe.Answer.Late("", Duration.ofMinutes(3)));

        assertThat(failed.found()).endsWith("No module named sluice_megatron");
        assertThat(hung).isInstanceOf(Finding.Failed.class);
        assertThat(hung.mending()).contains("NCCL_SOCKET_IFNAME");
    }

    private Finding judge(String output, int code, String gpus, String links) {
        Node node = Orders.node(directory);
        node.has(InstalledGpu.read(Recordings.read(gpus)), Links.read(Recordings.read(links)));
        return BandwidthCheck.judge(node, new Probe.Answer.Ended(OptionalInt.of(code), output));
    }
}
