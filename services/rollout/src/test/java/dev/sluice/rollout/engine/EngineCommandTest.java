package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.rollout.assignment.Share.Node;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EngineCommandTest {
    private static final List<String> PROGRAM = List.of("python3", "-m", "sglang.launch_server");

    @Test
    void anEngineGetsItsHttpPortAndTheNextOneForNccl() {
        // Given
        EngineCommand command = of(List.of("--tp-size", "8"));
        // When
        List<String> line = command.line(PROGRAM, "/models/tiny", "127.0.0.1", 20_000, null);
        // Then
        assertThat(command.ports(null)).isEqualTo(2);
        assertThat(line)
                .containsExactly(
                        "python3",
                        "-m",
                        "sglang.launch_server",
                        "--tp-size",
                        "8",
                        "--model-path",
                        "/models/tiny",
                        "--host",
                        "127.0.0.1",
                        "--port",
                        "20000",
                        "--nccl-port",
                        "20001");
    }

    @Test
    void attentionOfSeveralRanksGetsABlockOfPortsToMeetIn() {
        // Given: slime reserves 30 + dp-size neighbouring ports
        EngineCommand command = of(List.of("--tp-size", "8", "--dp-size", "8", "--enable-dp-attention"));
        // When
        List<String> line = command.line(PROGRAM, "/models/tiny", "127.0.0.1", 20_000, null);
        // Then
        assertThat(command.ports(null)).isEqualTo(38);
        assertThat(line).containsSequence("--dist-init-addr", "127.0.0.1:20002");
    }

    @Test
    void aProcessOfAnEngineOfSeveralNodesGetsItsRankAndWhereTheyMeet() {
        // Given
        EngineCommand command = of(List.of("--tp-size", "16", "--nnodes", "2"));
        // When
        List<String> line =
                command.line(PROGRAM, "/models/tiny", "10.0.0.7", 20_000, place(1).meetingAt("10.0.0.6:20002"));
        // Then
        assertThat(line)
                .containsSequence("--nnodes", "2", "--node-rank", "1", "--dist-init-addr", "10.0.0.6:20002")
                .containsOnlyOnce("--nnodes");
    }

    @Test
    void onlyTheFirstNodeNeedsPortsForAllToMeetIn() {
        EngineCommand command = of(List.of("--tp-size", "16", "--nnodes", "2"));

        assertThat(command.ports(place(0))).isEqualTo(31);
        assertThat(command.ports(place(1))).isEqualTo(2);
    }

    @Test
    void aPlaceThatThePlanDoesNotHaveIsNoPlace() {
        EngineCommand whole = of(List.of("--tp-size", "8"));
        EngineCommand three = of(List.of("--tp-size", "24", "--nnodes", "3"));
        Node place = place(1).meetingAt("10.0.0.6:20002");

        assertThatThrownBy(() -> whole.line(PROGRAM, "/m", "127.0.0.1", 20_000, place))
                .hasMessageContaining("spans 1 nodes");
        assertThatThrownBy(() -> three.line(PROGRAM, "/m", "127.0.0.1", 20_000, place))
                .hasMessageContaining("spans 3 nodes");
        assertThatThrownBy(() -> place(0).meetingAt("somewhere else")).hasMessageContaining("host:port");
    }

    private static Node place(int rank) {
        return new Node(1, "rollout-1", rank, 2, null);
    }

    @Test
    void anEngineOfSeveralNodesIsNotStartedByOneThatDoesNotKnowItsPlace() {
        EngineCommand command = of(List.of("--tp-size", "16", "--nnodes", "2"));

        assertThatThrownBy(() -> command.line(PROGRAM, "/models/tiny", "127.0.0.1", 20_000, null))
                .hasMessageContaining("spans 2 nodes")
                .hasMessageContaining("rollout.layout.gpusPerEngine");
    }

    @Test
    void whetherAModelsOwnCodeMayRunIsNoMatterOfAPlan() {
        assertThat(of(List.of("--trust-remote-code", "--tp-size", "8")).args()).containsExactly("--tp-size", "8");
    }

    @Test
    void aDraftIsLoadedOnlyFromWhereModelsMayLie() {
        assertThatThrownBy(() -> EngineCommand.of(
                        List.of("--speculative-draft-model-path", "/etc"), path -> Optional.of(path + " is outside")))
                .hasMessageContaining("--speculative-draft-model-path: /etc is outside");
    }

    private static EngineCommand of(List<String> args) {
        return EngineCommand.of(args, path -> Optional.empty());
    }
}
