package dev.sluice.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates come with models from anywhere: none may reach a class or a file, or take more than its bounds. */
class HostileTemplateTest {
    private static final Map<String, Object> VARIABLES = Map.of(
            "messages",
            List.of(
                    Map.of("role", "user", "content", "Hi"),
                    Map.of("role", "assistant", "content", "<think>x</think>y"),
                    Map.of("role", "tool", "content", "z")),
            "add_generation_prompt",
            true,
            "text",
            "abc");

    @ParameterizedTest
    @Timeout(20)
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
                "{{ 'x' * 999999999999 }}",
                "{{ ('x' * 9999) * 9999 * 9999 }}",
                "{{ [0] * 999999999 }}",
                "{% set n = namespace(s='x') %}{% for a in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
                "{% set n = namespace(s='x') %}{% for a in range(99) %}{% set n.s = n.s.replace('x', 'xx') %}{% endfor %}",
                "{% set n = namespace(s='x') %}{% for a in range(99) %}{% set n.s = n.s | replace('', 'x') %}{% endfor %}",
                "{% set n = namespace(l=[1]) %}{% for a in range(99) %}{% set n.l = n.l + n.l %}{% endfor %}",
                "{% set n = namespace(l=[1]) %}{% for a in range(99) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l }}",
                "{% set n = namespace(l=[1]) %}{% for a in range(99) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l | tojson }}",
                "{% set n = namespace(l=[1], m=[1]) %}{% for a in range(99) %}{% set n.l = [n.l, n.l] %}{% set n.m = [n.m, n.m] %}"
                        + "{% endfor %}{{ n.l == n.m }}",
                "{% set n = namespace(l=[1]) %}{% for a in range(9999) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l | tojson }}",
                "{% set n = namespace(l=[1]) %}{% for a in range(9999) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l | string }}",
                "{% set n = namespace(l=[1]) %}{% for a in range(9999) %}{% set n.l = [n.l] %}{% endfor %}{{ n.l in {} }}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
                "{{ 9 ** 999999999 }}",
                "{{ 9 ** 9 ** 9 ** 9 }}",
                "{{ range(0, 999999999) | list }}",
                "{{ '{}{}{}'.format('x' * 99999, 'x' * 99999, 'x' * 99999) * 999 }}",
                "{{ ('x ' * 99999).split() | map('upper') | map('lower') | map('title') | list | tojson | length * 'a' }}",
                "{{ (' ' * 999999).split('  ') | join('x' * 9999) }}",
                "{{ ('a b ' * 999999).split() }}",
                "{{ [1] | tojson(indent='x' * 999999) * 999999 }}",
                "{{ ('a\\n' * 999999) | indent(100) }}",
            })
    void workIsBounded(String template) {
        assertThatThrownBy(() -> render(template))
                .isInstanceOf(TemplateException.class)
                .hasMessageStartingWith("line 1: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ text.getClass() }}",
                "{{ text.class.forName('java.lang.Runtime') }}",
                "{{ ''.__class__.__mro__ }}",
                "{{ text.bytes() }}",
                "{{ messages.stream() }}",
                "{{ messages[0].entrySet() }}",
                "{{ range.call(1) }}",
                "{{ namespace.constructor.constructor('x')() }}",
                "{% set n = namespace() %}{{ n.members.put('a', 1) }}",
                "{{ loop.items.add(1) }}",
                "{{ '{0.__class__}'.format(1) }}",
                "{{ messages.append(1) }}",
                "{{ messages[0].update({}) }}",
                "{% include '/etc/passwd' %}",
                "{% import 'os' as os %}",
                "{% extends 'x' %}",
                "{{ self.__init__ }}{{ self.x() }}",
                "{{ cycler.__init__ }}{{ lipsum() }}",
            })
    void nothingButValuesOfJsonIsReachable(String template) {
        assertThatThrownBy(() -> render(template)).isInstanceOf(TemplateException.class);
    }

    @ParameterizedTest
    @Timeout(20)
    @ValueSource(strings = {"(", "[", "{'a':", "-", "not ", "a if ", "a[", "f(", "{{", "x is ", "1 + (", "'a' ~ ["})
    void deepNestingIsRefusedAndNoStackOverflows(String opening) {
        assertThatThrownBy(() -> render("{{ " + opening.repeat(100_000) + " }}"))
                .isInstanceOf(TemplateException.class);
    }

    @Test
    void longFlatExpressionsAreRefusedAndNoStackOverflows() {
        assertThatThrownBy(() -> render("{{ text" + " + text".repeat(100_000) + " }}"))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("nest deeper than 250 levels");
        assertThatThrownBy(() -> render("{{ text" + ".x".repeat(100_000) + " }}"))
                .isInstanceOf(TemplateException.class);
        assertThatThrownBy(() -> render("{% if 1 %}".repeat(10_000))).isInstanceOf(TemplateException.class);
    }

    /** Half of what a Java thread has by default. */
    @Test
    void theDeepestThatIsAllowedFitsASmallStack() throws InterruptedException {
        String nested = "{{ " + "(".repeat(45) + "1" + ")".repeat(45) + " }}" + "{{ " + "not ".repeat(45) + "1 }}"
                + "{{ " + "f(".repeat(45) + "1" + ")".repeat(45) + " }}" + "{% if 1 %}".repeat(45)
                + "{% endif %}".repeat(45);
        String recursive =
                "{% macro f(n) %}{% if n %}{{ [(f(n) | upper)] | tojson }}{% endif %}{% endmacro %}{{ f(1) }}";
        List<Throwable> thrown = new ArrayList<>();
        Runnable work = () -> {
            thrown.add(catchThrowable(() -> render("{% macro f(n) %}{{ n }}{% endmacro %}" + nested)));
            thrown.add(catchThrowable(() -> render(recursive)));
        };

        Thread thread = new Thread(null, work, "small stack", 512 << 10);
        thread.start();
        thread.join();

        assertThat(thrown.get(0)).isNull();
        assertThat(thrown.get(1)).isInstanceOf(TemplateException.class).hasMessageContaining("250 levels");
    }

    @Test
    void aTemplateThatIsTooLongIsNotRead() {
        assertThatThrownBy(() -> Template.parse("x".repeat(Template.MAXIMUM_CHARACTERS + 1)))
                .hasMessage("the template has 1048577 characters, more than the 1048576 that are read");
    }

    @Test
    void aLongConversationIsNoHostileOne() {
        String long_ = "word ".repeat(200_000);

        String text = Template.parse("{% for c in parts %}{{ '<user>' + c.strip() + '\n' }}{% endfor %}")
                .render(Map.of("parts", List.of(long_, long_, long_)), Clock.systemUTC());

        assertThat(text).hasSize(3 * (999_999 + 7));
    }

    /** Published templates with parts cut out, doubled or replaced: every end is a text or a TemplateException. */
    @Test
    @Timeout(120)
    void brokenTemplatesFailWithAReason() throws IOException {
        long seed = System.nanoTime();
        System.out.println("HostileTemplateTest.brokenTemplatesFailWithAReason seed " + seed);
        Random random = new Random(seed);
        List<String> sources = new ArrayList<>();
        for (String family : List.of("glm-4.7-flash", "deepseek-v3.1", "deepseek-r1")) {
            sources.add(Files.readString(Path.of("src/test/resources/chat", family, "chat_template.jinja")));
        }
        long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        for (int i = 0; i < 3000 && System.nanoTime() < end; i++) {
            String template = mutated(sources.get(i % sources.size()), random);

            Throwable thrown = catchThrowable(() -> render(template));

            if (thrown != null) {
                assertThat(thrown).as("seed %d, template %s", seed, template).isInstanceOf(TemplateException.class);
            }
        }
    }

    private static String mutated(String source, Random random) {
        StringBuilder text = new StringBuilder(source);
        String pieces = "{}%-|()[].:,'\"\\ n0x#=<~!";
        for (int i = random.nextInt(1, 5); i > 0; i--) {
            int start = random.nextInt(text.length());
            int end = Math.min(text.length(), start + random.nextInt(1, 12));
            switch (random.nextInt(4)) {
                case 0 -> text.delete(start, end);
                case 1 -> text.insert(random.nextInt(text.length()), text.substring(start, end));
                case 2 -> text.setCharAt(start, pieces.charAt(random.nextInt(pieces.length())));
                default -> text.insert(start, pieces.charAt(random.nextInt(pieces.length())));
            }
        }
        return text.toString();
    }

    private static String render(String template) {
        return Template.parse(template).render(VARIABLES, Clock.systemUTC());
    }
}
