package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openhands/llb-frontend/integration/engine"
)

// agentServer is an agent-server in a container.
type agentServer struct{ *server }

// agentImage composes an image with the agent-server and returns its name.
func agentImage(t *testing.T, yaml string) string {
	t.Helper()
	ref, err := agentDeps()
	if err != nil {
		t.Fatal(err)
	}
	image := imageName(t)
	buildAs(t, image, yaml+"deps_image: "+ref+"\n")
	return image
}

// startAgent starts a container whose server listens on a port.
func startAgent(t *testing.T, port int, key string, opt engine.RunOptions) agentServer {
	t.Helper()
	s := agentServer{&server{t: t, ready: "/ready", port: port, vscode: freePort(t), key: key}}
	opt.Env = append(opt.Env, fmt.Sprintf("OH_VSCODE_PORT=%d", s.vscode))
	if key != "" {
		opt.Env = append(opt.Env, "SESSION_API_KEY="+key)
	}
	s.start(opt)
	return s
}

// ask has the API answer something.
func (s agentServer) ask(method, path string, request, answer any) {
	s.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		s.t.Fatal(err)
	}
	got, status, err := s.request(s.t.Context(), method, path, body)
	if err != nil || status/100 != 2 || json.Unmarshal(got, answer) != nil {
		s.t.Fatalf("%s %s %s: status %d, %v: %.2000s", method, path, body, status, err, got)
	}
}

// sh runs a command by the API, and returns what it prints.
func (s agentServer) sh(command string) string {
	s.t.Helper()
	var out struct {
		ExitCode       *int `json:"exit_code"`
		Stdout, Stderr string
	}
	s.ask("POST", "/api/bash/execute_bash_command", map[string]any{"command": command, "timeout": 120}, &out)
	if out.ExitCode == nil || *out.ExitCode != 0 {
		s.t.Errorf("%s: %+v", command, out)
	}
	return out.Stdout
}

// servesVSCode opens the editor's page by the address that the server gives to
// people, and without its token.
func (s agentServer) servesVSCode() {
	s.t.Helper()
	var answer struct{ URL string }
	for end := time.Now().Add(time.Minute); answer.URL == "" && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		s.ask("GET", "/api/vscode/url", nil, &answer)
	}
	address, err := url.Parse(answer.URL)
	if err != nil || address.Port() != fmt.Sprint(s.vscode) || address.Query().Get("tkn") == "" {
		s.t.Fatalf("the address of the editor is %q, %v", answer.URL, err)
	}
	for query, want := range map[string]int{"": 403, "?tkn=wrong": 403, "?" + address.RawQuery: 200} {
		page, status := s.vscodePage(query)
		if status != want || want == 200 && !strings.Contains(page, "workbench") {
			s.t.Errorf("VS Code with %q: status %d, want %d: %.200s", query, status, want, page)
		}
	}
}

// toolCall is what a model wants an agent to do.
type toolCall struct {
	tool string
	args map[string]any
}

// script is a model that goes through a list of calls, whatever it is told, and
// keeps what it is told of them. It speaks the protocol that agents know of
// OpenAI, so that all of an agent is tried but for the thinking.
type script struct {
	calls []toolCall

	mu      sync.Mutex
	results []string // what the tools said
}

// converse has an agent go through calls, and returns what its tools said.
func (s agentServer) converse(calls ...toolCall) []string {
	s.t.Helper()
	model := &script{calls: append(calls, toolCall{"finish", map[string]any{"message": "done"}})}
	api := httptest.NewServer(model)
	defer api.Close()
	var conversation struct {
		ID     string
		Status string `json:"execution_status"`
	}
	s.ask("POST", "/api/conversations", map[string]any{
		"agent": map[string]any{
			"llm":   map[string]any{"model": "openai/script", "base_url": api.URL, "api_key": "none", "usage_id": "script", "num_retries": 0},
			"tools": []map[string]any{{"name": "terminal"}, {"name": "browser_tool_set"}},
		},
		"workspace":       map[string]any{"working_dir": "/workspace/project"},
		"initial_message": map[string]any{"role": "user", "run": true, "content": []map[string]any{{"type": "text", "text": "Look at the page."}}},
	}, &conversation)
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		s.ask("GET", "/api/conversations/"+conversation.ID, nil, &conversation)
		if conversation.Status == "finished" {
			return model.results
		}
		if conversation.Status == "error" || conversation.Status == "stuck" || time.Now().After(end) {
			s.t.Fatalf("the conversation is %q after %q\n%s", conversation.Status, model.results, lastLines(s.container.Output(), 40))
		}
	}
}

func (m *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Stream   bool
		Tools    []any
		Messages []struct {
			Role    string
			Content any
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.Stream {
		http.Error(w, "not such a model", http.StatusBadRequest)
		return
	}
	message := map[string]any{"role": "assistant", "content": "A title"}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(request.Tools) > 0 {
		var results []string
		for _, msg := range request.Messages {
			if msg.Role == "tool" {
				results = append(results, textOf(msg.Content))
			}
		}
		m.results = results
		call := m.calls[min(len(results), len(m.calls)-1)]
		args, err := json.Marshal(call.args)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		message = map[string]any{"role": "assistant", "content": nil, "tool_calls": []map[string]any{{
			"id": fmt.Sprintf("call_%d", len(results)), "type": "function",
			"function": map[string]any{"name": call.tool, "arguments": string(args)},
		}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that is gone
		"id": "script", "object": "chat.completion", "created": 1, "model": "script",
		"choices": []map[string]any{{"index": 0, "finish_reason": "stop", "message": message}},
		"usage":   map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
	})
}

// textOf is the text of a message: a string, or parts with one each.
func textOf(content any) string {
	if text, ok := content.(string); ok {
		return text
	}
	var text strings.Builder
	parts, _ := content.([]any)
	for _, p := range parts {
		if part, ok := p.(map[string]any); ok {
			fmt.Fprint(&text, part["text"], "\n")
		}
	}
	return text.String()
}
