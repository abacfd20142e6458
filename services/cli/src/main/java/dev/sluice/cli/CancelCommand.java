package dev.sluice.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "cancel")
final class CancelCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        return 1;
    }
}
