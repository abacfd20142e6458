package dev.sluice.cpu.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients that send too much, read too little, or come in crowds. */
class HostileClientTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int BODY_LIMIT = 1 << 20;
    private static final long HUNDRED_MEGABYTES = 100L << 20;

    private final AtomicReference<String> endOfStream = new AtomicReference<>("");
    private JsonServer server;

    @BeforeEach
    void start() throws IOException {
        Routes routes = new Routes()
                .on("POST", "/echo", call -> Answer.ok(call.body().length))
                .on("GET", "/endless", call -> new Answer.Events(this::writeForEver));
        server = JsonServer.start(
                new JsonServer.Settings(
                        new InetSocketAddress("127.0.0.1", 0), BODY_LIMIT, Duration.ofMillis(500), null),
                routes,
                problem -> Answer.text(problem instanceof Problem.BodyTooLarge ? 413 : 500, problem.toString()));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void aHundredMegabytesAreRefusedAndNeverHeld() throws IOException {
        for (boolean announced : new boolean[] {true, false}) {
            try (Socket client = connect()) {
                long before = used();
                OutputStream out = client.getOutputStream();
                out.write(("POST /echo HTTP/1.1\r\nHost: x\r\n"
                                + (announced ? "Content-Length: " + HUNDRED_MEGABYTES : "Transfer-Encoding: chunked")
                                + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                byte[] piece = new byte[BODY_LIMIT];
                long most = 0;
                for (long sent = 0; sent < HUNDRED_MEGABYTES; sent += piece.length) {
                    if (!announced) {
                        out.write((Integer.toHexString(piece.length) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                    }
                    out.write(piece);
                    if (!announced) {
                        out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
                    }
                    most = Math.max(most, used() - before);
                }
                if (!announced) {
                    out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                }

                assertThat(statusLine(client)).contains("413");
                assertThat(most).as("bytes more in use on the way").isLessThan(HUNDRED_MEGABYTES / 2);
            }
        }
    }

    @Test
    void aBodyOfManyPartsIsRefusedBeforeItIsRead() {
        String lists = "{\"a\":[" + "[],".repeat(JsonSize.MAX_CONTAINERS) + "[]]}";
        String text = "{\"a\":\"" + "[{\\\"".repeat(JsonSize.MAX_CONTAINERS) + "\"}";

        assertThatThrownBy(() -> JsonSize.require(lists.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(BodyException.class)
                .hasMessageStartingWith("the body has 65539 lists and objects and 1 strings");
        assertThatCode(() -> JsonSize.require(text.getBytes(StandardCharsets.UTF_8)))
                .as("a text may hold what it likes")
                .doesNotThrowAnyException();
    }

    @Test
    void aBodyWaitsForRoomAndGivesItBack() throws Exception {
        BodyBudget budget = new BodyBudget(Runtime.getRuntime().maxMemory() / 8);
        int length = 100_000;

        for (int i = 0; i < 10; i++) {
            BodyBudget.Reading reading = budget.read(new ByteArrayInputStream(new byte[length]), -1);
            assertThat(reading).isInstanceOfSatisfying(BodyBudget.Reading.Whole.class, whole -> {
                assertThat(whole.body()).hasSize(length);
                assertThat(whole.units()).isEqualTo(98);
                budget.giveBack(whole);
            });
        }
    }

    @Test
    void aReaderThatTakesNothingLosesItsConnectionAndTheHandlerGoesOn() throws IOException {
        try (Socket client = new Socket()) {
            client.setReceiveBufferSize(4096);
            client.connect(server.address());
            client.getOutputStream()
                    .write("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            await().atMost(PATIENCE).until(() -> !endOfStream.get().isEmpty());
        }

        assertThat(endOfStream.get()).contains("the client took nothing for PT0.5S");
    }

    @Test
    void connectionsThatSayNothingKeepNobodyFromBeingServed() throws IOException {
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 500; i++) {
                Socket half = connect();
                half.getOutputStream().write("POST /echo HTT".getBytes(StandardCharsets.US_ASCII));
                silent.add(half);
            }

            try (Socket client = connect()) {
                client.getOutputStream()
                        .write("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                                .getBytes(StandardCharsets.US_ASCII));

                assertThat(statusLine(client)).contains("200");
            }
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    private void writeForEver(OutputStream out) {
        byte[] frame = "data: 12345678901234567890\n\n".getBytes(StandardCharsets.US_ASCII);
        AtomicLong written = new AtomicLong();
        try {
            while (true) {
                out.write(frame);
                out.flush();
                written.addAndGet(frame.length);
            }
        } catch (IOException e) {
            endOfStream.set(e + " after " + written + " bytes");
        }
    }

    private Socket connect() throws IOException {
        Socket client = new Socket();
        client.setSoTimeout(Math.toIntExact(PATIENCE.toMillis()));
        client.connect(server.address());
        return client;
    }

    private static String statusLine(Socket client) throws IOException {
        InputStream in = client.getInputStream();
        StringBuilder line = new StringBuilder();
        int next = in.read();
        while (next >= 0 && next != '\n') {
            line.append((char) next);
            next = in.read();
        }
        return line.toString();
    }

    private static long used() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
