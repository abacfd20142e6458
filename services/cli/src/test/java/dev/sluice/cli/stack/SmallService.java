package dev.sluice.cli.stack;

import com.sun.net.httpserver.HttpServer;
import dev.sluice.process.LifeLine;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A service of a few lines that keeps a service's promises: a state file, a health page, an end when stdin closes. It notes
 * its start and its end in a journal that the tests read. {@code GET /die} kills it.
 */
public final class SmallService {
    private SmallService() {}

    public static void main(String[] arguments) throws IOException {
        String name = arguments[0];
        Path stateFile = Path.of(arguments[1]);
        Path journal = Path.of(arguments[2]);
        LifeLine.watchStdin(() -> System.exit(0));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> note(journal, "stopped " + name)));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/q/health/ready", exchange -> {
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        server.createContext("/die", exchange -> Runtime.getRuntime().halt(7));
        server.start();
        note(journal, "started " + name);
        PidFile.ofThisProcess(server.getAddress().getPort()).write(stateFile);
    }

    private static void note(Path journal, String line) {
        try {
            Files.writeString(
                    journal, line + "\n", StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            System.err.println("cannot write " + journal + ": " + e);
        }
    }
}
