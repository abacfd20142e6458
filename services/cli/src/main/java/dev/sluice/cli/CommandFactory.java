package dev.sluice.cli;

import java.lang.reflect.Constructor;
import picocli.CommandLine;

/** Gives the terminal to the commands whose constructor asks for it. */
record CommandFactory(Terminal terminal) implements CommandLine.IFactory {
    @Override
    public <T> T create(Class<T> type) throws Exception {
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Terminal.class) {
                return type.cast(constructor.newInstance(terminal));
            }
        }
        return CommandLine.defaultFactory().create(type);
    }
}
