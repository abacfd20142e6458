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

    /** Of torch 2.11, shortened. */
    private static final String TORCHRUN_AFTER_A_REFUSAL = """
            error: rank 0 of this node has no GPU: 0 are visible
            E1127 02:50:34.448000 17938 torch/distributed/elastic/multiprocessing/api.py:986] failed (exitcode: 2) local_rank: 0
            Traceback (most recent call last):
              File "/site-packages/torch/distributed/elastic/multiprocessing/errors/__init__.py", line 362, in wrapper
                return f(*args, **kwargs)
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:\s
              error_file: <N/A>
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
        Finding refused = judge(TORCHRUN_AFTER_A_REFUSAL, 1, "h100-x2/gpus.csv", "h100-x2/topo.txt");
        Finding hung = BandwidthCheck.judge(Orders.node(directory), new Probe.Answer.Late("", Duration.ofMinutes(3)));

        assertThat(failed.found()).endsWith("No module named sluice_megatron");
        assertThat(refused.found()).endsWith("failed: error: rank 0 of this node has no GPU: 0 are visible");
        assertThat(hung).isInstanceOf(Finding.Failed.class);
        assertThat(hung.mending()).contains("NCCL_SOCKET_IFNAME");
    }

    private Finding judge(String output, int code, String gpus, String links) {
        Node node = Orders.node(directory);
        node.has(InstalledGpu.read(Recordings.read(gpus)), Links.read(Recordings.read(links)));
        return BandwidthCheck.judge(node, new Probe.Answer.Ended(OptionalInt.of(code), output));
    }
}
