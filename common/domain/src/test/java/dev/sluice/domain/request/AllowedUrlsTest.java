package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AllowedUrlsTest {
    private static final String KEY = "sluice.rollout.reward-urls";

    private final AllowedUrls urls = new AllowedUrls(KEY, List.of("http://rewards:8090/v1", "https://Judge.example"));

    @ParameterizedTest
    @CsvSource({
        "http://rewards:8090/v1, true",
        "http://rewards:8090/v1/math?x=1, true",
        "http://REWARDS:8090/v1/, true",
        "https://judge.example/any/path, true",
        "https://judge.example:443, true",
        "http://rewards:8090/v10, false",
        "http://rewards:8090/, false",
        "http://rewards:8091/v1, false",
        "https://rewards:8090/v1, false",
        "http://rewards:8090/v1/../admin, false",
        "http://rewards:8090/v1/%2e%2e/admin, false",
        "http://rewards:8090/v1%2f..%2fadmin, false",
        "http://rewards:8090@evil/v1, false",
        "http://evil/http://rewards:8090/v1, false",
        "https://judge.example.evil/, false",
        "file:///etc/passwd, false",
        "ftp://judge.example/, false",
        "http:///v1, false",
        "not a url, false",
    })
    void coversWhatBeginsSoAndNothingElse(String url, boolean allowed) {
        assertThat(urls.objection(url).isEmpty()).isEqualTo(allowed);
    }

    @Test
    void nothingIsAllowedUnlessConfigured() {
        assertThat(new AllowedUrls(KEY, List.of()).objection("http://127.0.0.1/"))
                .isPresent();
    }

    @Test
    void aPrefixThatIsNoAddressStopsTheService() {
        assertThatThrownBy(() -> new AllowedUrls(KEY, List.of("rewards:8090")))
                .hasMessageContaining("sluice.rollout.reward-urls has rewards:8090");
    }
}
