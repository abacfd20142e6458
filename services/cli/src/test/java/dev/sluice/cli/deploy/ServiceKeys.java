package dev.sluice.cli.deploy;

import java.io.IOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** The environment variables that a packaged service understands, read from the configuration interfaces in its jars. */
final class ServiceKeys {
    private static final String MAPPING = "io.smallrye.config.ConfigMapping";

    private ServiceKeys() {}

    /** Variable names; a name that ends in {@code _*} stands for any key of a map. */
    static Set<String> variables(Path quarkusApp) throws IOException {
        List<Path> jars = new ArrayList<>();
        for (String folder : List.of("app", "lib/main", "lib/boot")) {
            try (Stream<Path> files = Files.list(quarkusApp.resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".jar")).forEach(jars::add);
            }
        }
        URL[] urls = jars.stream().map(ServiceKeys::url).toArray(URL[]::new);
        Set<String> keys = new TreeSet<>();
        try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
            for (Path jar : jars) {
                if (jar.getFileName().toString().contains("sluice")) {
                    collect(jar, loader, keys);
                }
            }
        }
        return keys;
    }

    private static void collect(Path jar, ClassLoader loader, Set<String> keys) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            List<String> names = file.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.endsWith("Config.class"))
                    .map(name -> name.replace('/', '.').replaceFirst("\\.class$", ""))
                    .toList();
            for (String name : names) {
                Class<?> type = Class.forName(name, false, loader);
                for (Annotation annotation : type.getAnnotations()) {
                    if (annotation.annotationType().getName().equals(MAPPING)) {
                        String prefix = (String)
                                annotation.annotationType().getMethod("prefix").invoke(annotation);
                        addKeys(type, prefix, keys);
                    }
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot read the configuration of " + jar, e);
        }
    }

    private static void addKeys(Class<?> type, String prefix, Set<String> keys) {
        for (Method method : type.getMethods()) {
            String key = prefix + "."
                    + method.getName().replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
            Type returned = method.getGenericReturnType();
            if (returned instanceof ParameterizedType generic && generic.getRawType() == Map.class) {
                keys.add(variable(key) + "_*");
            } else if (returned instanceof Class<?> nested
                    && nested.isInterface()
                    && nested != Path.class
                    && nested.getName().contains("Config")) {
                addKeys(nested, key, keys);
            } else {
                keys.add(variable(key));
            }
        }
    }

    private static String variable(String key) {
        return key.replaceAll("[^A-Za-z0-9]", "_").toUpperCase(Locale.ROOT);
    }

    private static URL url(Path path) {
        try {
            return path.toUri().toURL();
        } catch (java.net.MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }
}
