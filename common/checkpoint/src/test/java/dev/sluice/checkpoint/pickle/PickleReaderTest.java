package dev.sluice.checkpoint.pickle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.pickle.PickleValue.Bytes;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import dev.sluice.checkpoint.pickle.PickleValue.Wide;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reads what {@code pickle.dumps} of CPython 3.11 writes; each test names the object and the protocol. */
class PickleReaderTest {
    @ParameterizedTest
    @CsvSource({
        // protocol 2
        "80025d7100284b004bff4d00014dffff4a000001004affffff7f4affffffff4a000000808a0500000080008a060000000000ff"
                + "8a08ffffffffffffff7f8a090000000000000080008a09ffffffffffffff7fff652e",
        // protocol 4, in a frame
        "800495560000000000000"
                + "05d94284b004bff4d00014dffff4a000001004affffff7f4affffffff4a000000808a0500000080008a060000000000ff"
                + "8a08ffffffffffffff7f8a090000000000000080008a09ffffffffffffff7fff652e"
    })
    void readsIntegersOfEveryWidth(String hex) {
        // [0, 255, 256, 65535, 65536, 2**31-1, -1, -2**31, 2**31, -2**40, 2**63-1, 2**63, -2**63-1]
        assertThat(((Sequence) read(hex)).items())
                .containsExactly(
                        new Int(0),
                        new Int(255),
                        new Int(256),
                        new Int(65_535),
                        new Int(65_536),
                        new Int(Integer.MAX_VALUE),
                        new Int(-1),
                        new Int(Integer.MIN_VALUE),
                        new Int(1L << 31),
                        new Int(-(1L << 40)),
                        new Int(Long.MAX_VALUE),
                        new Wide(BigInteger.TWO.pow(63)),
                        new Wide(BigInteger.TWO.pow(63).negate().subtract(BigInteger.ONE)));
    }

    @Test
    void readsAnIntegerWithoutBytesAsZero() {
        assertThat(read("80028a002e")).isEqualTo(new Int(0));
    }

    @Test
    void readsBytesAndBytearrays() {
        // (b'ab', bytearray(b'cd')) of protocol 5
        Tuple tuple = (Tuple) read("8005951400000000000000430261629496020000000000000063649486942e");

        assertThat(((Bytes) tuple.items().get(0)).value()).isEqualTo(ascii("ab"));
        assertThat(((Bytes) tuple.items().get(1)).value()).isEqualTo(ascii("cd"));
    }

    @ParameterizedTest
    @CsvSource({"8003420200000061622e, BINBYTES", "80048e020000000000000061622e, BINBYTES8"})
    void readsBytesWithLongLengths(String hex, String instruction) {
        assertThat(((Bytes) read(hex)).value()).as(instruction).isEqualTo(ascii("ab"));
    }

    @Test
    void readsATextWithALongLength() {
        assertThat(read("80048d020000000000000061622e")).isEqualTo(new Text("ab"));
    }

    @Test
    void readsSets() {
        // frozenset({1}) as protocol 4 writes it: MARK, 1, FROZENSET
        assertThat(((Sequence) read("8004284b01912e")).items()).containsExactly(new Int(1));
    }

    @Test
    void readsAListBuiltFromAMark() {
        // LIST of protocol 0
        assertThat(((Sequence) read("8002284b014b026c2e")).items()).containsExactly(new Int(1), new Int(2));
    }

    @Test
    void duplicatesTheTopOfTheStack() {
        // 7, DUP, TUPLE2
        assertThat(((Tuple) read("80024b0732862e")).items()).isEqualTo(List.of(new Int(7), new Int(7)));
    }

    private static PickleValue read(String hex) {
        return PickleReader.read(ByteBuffer.wrap(HexFormat.of().parseHex(hex)), "a pickle");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
