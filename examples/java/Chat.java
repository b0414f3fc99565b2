import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A streamed chat by nothing but a JDK, 11 or newer: {@code java Chat.java}.
 *
 * <p>OPENAI_API_KEY and OPENAI_BASE_URL say where to; see README.md. A program of yours would read the events with its
 * JSON library.
 */
public class Chat {
    private static final String BODY = "{\"model\": \"qwen-plus\", \"stream\": true, \"max_tokens\": 100, "
        + "\"messages\": [{\"role\": \"user\", \"content\": \"Who are you?\"}]}";
    private static final int TRIES = 4;
    private static final long FIRST_PAUSE_MS = 500;
    private static final long LONGEST_PAUSE_MS = 30_000;
    private static final Set<Integer> AGAIN = Set.of(408, 409, 429, 500, 502, 503, 504);
    private static final Pattern NEVER_AGAIN = Pattern.compile(
        "insufficient_quota|Arrearage|AllocationQuota|CommodityNotPurchased|BillOverdue");
    private static final Pattern CONTENT = Pattern.compile("\"content\": ?\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(u([0-9a-fA-F]{4})|.)");

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Stream<String> lines = answer()) {
            lines.filter(line -> line.startsWith("data: ")).map(Chat::text).forEach(out::print);
        }
        out.println();
    }

    /** Returns the lines of the answer; asks again where that can help, after a pause with full jitter. */
    private static Stream<String> answer() throws Exception {
        HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
        for (int number = 1; ; number++) {
            String told;
            long leastMs = 0;
            boolean mayPass = true;
            try {
                HttpResponse<Stream<String>> response = client.send(request(), HttpResponse.BodyHandlers.ofLines());
                if (response.statusCode() == 200) {
                    return response.body();
                }
                told = response.statusCode() + " " + response.body().collect(Collectors.joining("\n"));
                mayPass = AGAIN.contains(response.statusCode()) && !NEVER_AGAIN.matcher(told).find()
                    && !response.headers().firstValue("x-should-retry").orElse("").equals("false");
                leastMs = response.headers().firstValue("retry-after").filter(text -> text.matches("[0-9]{1,6}"))
                    .map(text -> Math.min(Long.parseLong(text) * 1000, LONGEST_PAUSE_MS)).orElse(0L);
            } catch (IOException error) {
                told = error.toString();
            }
            if (number == TRIES || !mayPass) {
                throw new IllegalStateException(told);
            }
            long mostMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << number);
            Thread.sleep(leastMs + ThreadLocalRandom.current().nextLong(mostMs));
        }
    }

    private static HttpRequest request() {
        String base = System.getenv().getOrDefault("OPENAI_BASE_URL", "http://127.0.0.1:8600/compatible-mode/v1");
        return HttpRequest.newBuilder(URI.create(base + "/chat/completions"))
            .timeout(Duration.ofSeconds(60))
            .header("Authorization", "Bearer " + System.getenv("OPENAI_API_KEY"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(BODY))
            .build();
    }

    /** Returns the piece of text that an event holds. */
    private static String text(String line) {
        if (line.startsWith("data: {\"error\"")) {
            throw new IllegalStateException(line);
        }
        Matcher content = CONTENT.matcher(line);
        return content.find() ? ESCAPE.matcher(content.group(1)).replaceAll(Chat::unescaped) : "";
    }

    private static String unescaped(java.util.regex.MatchResult escape) {
        String text = escape.group(1);
        switch (text.charAt(0)) {
            case 'u':
                return Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(escape.group(2), 16)));
            case 'n':
                return "\n";
            case 't':
                return "\t";
            case 'r':
                return "\r";
            default:
                return Matcher.quoteReplacement(text);
        }
    }
}
