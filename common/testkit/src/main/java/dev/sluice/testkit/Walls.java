package dev.sluice.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import java.util.List;

/**
 * The walls that the build cannot see: Maven keeps modules apart, these rules keep packages apart.
 *
 * <ul>
 *   <li>packages of a module form no cycle
 *   <li>Kafka's own classes are used in common/kafka, common/quarkus and common/broker alone
 *   <li>a service does not touch another service
 *   <li>no class is a Manager, Helper, Util or Impl: such names hide what the class knows
 * </ul>
 */
public final class Walls {
    private static final String ROOT = "dev.sluice.";
    private static final List<String> SERVICES =
            List.of("planner", "converter", "rollout", "trainer", "dashboard", "cpu", "cli");
    private static final List<String> KAFKA_USERS = List.of("kafka", "quarkus", "broker", "testkit");

    private Walls() {}

    /**
     * Checks the main classes of one module.
     *
     * @param packageRoot such as {@code dev.sluice.planner}
     * @throws AssertionError with every offending dependency, or if the package holds no class
     */
    public static void check(String packageRoot) {
        JavaClasses classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages(packageRoot);
        if (classes.isEmpty()) {
            throw new AssertionError("There is no class below " + packageRoot + "; is the package's name right?");
        }
        String module = packageRoot.substring(ROOT.length()).split("\\.")[0];
        rules(packageRoot, module).check(classes);
    }

    static void checkClasses(String module, Class<?>... classes) {
        rules(ROOT + module, module).check(new ClassFileImporter().importClasses(classes));
    }

    private static ArchRule rules(String packageRoot, String module) {
        return CompositeArchRule.of(noCycles(packageRoot))
                .and(noHollowNames())
                .and(kafkaStaysBehindItsModules(module))
                .and(noOtherService(module));
    }

    private static ArchRule noCycles(String packageRoot) {
        return slices().matching(packageRoot + ".(**)")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true);
    }

    private static ArchRule noHollowNames() {
        return noClasses()
                .should()
                .haveNameMatching(".*(Manager|Helper|Utils?|Impl)")
                .because("a class is named after what it knows");
    }

    private static ArchRule kafkaStaysBehindItsModules(String module) {
        return noClasses()
                .that()
                .resideOutsideOfPackages(
                        KAFKA_USERS.stream().map(user -> ROOT + user + "..").toArray(String[]::new))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.kafka..")
                .because("only common/kafka, common/quarkus and common/broker know Kafka's classes, " + module
                        + " uses theirs")
                .allowEmptyShould(true);
    }

    private static ArchRule noOtherService(String module) {
        String[] others = SERVICES.stream()
                .filter(service -> !service.equals(module))
                .map(service -> ROOT + service + "..")
                .toArray(String[]::new);
        return noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(others)
                .because("services meet in topics and HTTP APIs alone");
    }
}
