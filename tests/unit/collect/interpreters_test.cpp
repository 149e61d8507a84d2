// Which Python would run: read from files as CPython, venv, conda, pyenv and uv would, with nothing
// run.
#include "collect/software.h"
#include "machines.h"
#include "support/software.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

struct Desk {
  Desk() {
    system.set_identity(identity_of("6.1.0"));
    system.set_variable("PATH", "/usr/local/bin:/usr/bin");
    add_python(system);
  }
  std::vector<PythonEnvironment> look(const Scope& scope = {}) {
    return collected(kInterpreters, system, scope).pythons;
  }
  /// "[*] INTERPRETER kind version (prefix; chosen by)", the selected one starred.
  std::string found(const Scope& scope = {}) {
    std::string text;
    for (const auto& python : look(scope)) {
      text += std::string(python.selected ? "* " : "  ") + python.interpreter + " " + python.kind +
              " " + python.version.value_or("?") + " (" + python.prefix + "; " + python.chosen_by +
              ")";
      text += (python.problem.empty() ? "" : " " + python.problem) + "\n";
    }
    return text;
  }
  MemorySystem system;
};

TEST(Interpreters, TheSystemsOwn) {
  Desk desk;
  EXPECT_EQ(desk.found(), "* /usr/bin/python3 system 3.11 (/usr; $PATH)\n");
  EXPECT_EQ(desk.look().front().site_directories,
            std::vector<std::string>{"/usr/lib/python3/dist-packages"});
}

TEST(Interpreters, ActivatedVenv) {
  Desk desk;
  add_venv(desk.system);
  desk.system.set_environment(
      {{"PATH", "/home/ada/tf/bin:/usr/bin"}, {"VIRTUAL_ENV", "/home/ada/tf"}});
  EXPECT_EQ(desk.found(), "* /home/ada/tf/bin/python3 venv 3.11.7 (/home/ada/tf; $VIRTUAL_ENV)\n"
                          "  /usr/bin/python3 system 3.11 (/usr; $PATH)\n");
  const auto python = desk.look().front();
  EXPECT_EQ(python.executable, "/usr/bin/python3.11");
  EXPECT_EQ(python.site_directories, std::vector<std::string>{kVenvSite}); // not the system's
}

TEST(Interpreters, SysPathOfOneThatRuns) {
  Desk desk;
  add_venv(desk.system);
  desk.system.add_file("/home/ada/work/torch/__init__.py", "");
  Scope scope;
  scope.python = "/home/ada/tf/bin/python3";
  scope.sys_path = {"/home/ada/work", "/nowhere", kVenvSite, "/home/ada/work"};
  const std::vector<std::string> seen{"/home/ada/work", kVenvSite};
  EXPECT_EQ(desk.look(scope).front().site_directories, seen);
  scope.sys_path.clear(); // predicted
  EXPECT_EQ(desk.look(scope).front().site_directories, std::vector<std::string>{kVenvSite});
}

TEST(Interpreters, ActivatedButNotFirstOnPath) {
  Desk desk;
  add_venv(desk.system);
  desk.system.set_environment(
      {{"PATH", "/usr/bin:/home/ada/tf/bin"}, {"VIRTUAL_ENV", "/home/ada/tf"}});
  EXPECT_EQ(desk.found(), "* /usr/bin/python3 system 3.11 (/usr; $PATH)\n"
                          "  /home/ada/tf/bin/python venv 3.11.7 (/home/ada/tf; $VIRTUAL_ENV)\n");
}

TEST(Interpreters, VirtualenvAndUv) {
  Desk desk;
  add_venv(desk.system, "/home/ada/a", "virtualenv = 20.24.1\nversion_info = 3.11.7.final.0\n");
  add_venv(desk.system, "/home/ada/b", "uv = 0.4.18\nversion_info = 3.11.9\n");
  EXPECT_EQ(desk.look({.python = "/home/ada/a"}).front().kind, "virtualenv");
  const auto uv = desk.look({.python = "/home/ada/b/bin/python"}).front();
  EXPECT_EQ(uv.kind, "uv");
  EXPECT_EQ(uv.version.value_or(""), "3.11.9");
}

TEST(Interpreters, VenvThatSeesTheSystem) {
  Desk desk;
  add_venv(desk.system, kVenv, "version = 3.11.7\ninclude-system-site-packages = true\n");
  desk.system.add_file(kVenv + "/pyvenv.cfg",
                       "home = /usr/bin\ninclude-system-site-packages = True\nversion = 3.11.7\n");
  desk.system.add_directory("/home/ada/.local/lib/python3.11/site-packages");
  EXPECT_EQ(desk.look({.python = kVenv}).front().site_directories,
            (std::vector<std::string>{kVenvSite, "/home/ada/.local/lib/python3.11/site-packages",
                                      "/usr/lib/python3/dist-packages"}));
}

TEST(Interpreters, Conda) {
  Desk desk;
  add_python(desk.system, "/opt/conda", "3.10");
  desk.system.add_file("/opt/conda/conda-meta/python-3.10.13-hd12c33a_0_cpython.json", "{}");
  desk.system.set_environment(
      {{"PATH", "/opt/conda/bin:/usr/bin"}, {"CONDA_PREFIX", "/opt/conda"}});
  EXPECT_EQ(desk.found(), "* /opt/conda/bin/python3 conda 3.10.13 (/opt/conda; $CONDA_PREFIX)\n"
                          "  /usr/bin/python3 system 3.11 (/usr; $PATH)\n");
}

void add_pyenv(MemorySystem& system) {
  add_python(system, "/home/ada/.pyenv/versions/3.11.7");
  add_python(system, "/home/ada/.pyenv/versions/3.9.18", "3.9");
  for (const auto* name : {"python", "python3"}) {
    add_program(system, std::string("/home/ada/.pyenv/shims/") + name,
                "#!/usr/bin/env bash\nset -e\nexport PYENV_ROOT=\"/home/ada/.pyenv\"\nexec "
                "\"pyenv\" exec \"$program\" \"$@\"\n");
  }
  system.set_variable("PATH", "/home/ada/.pyenv/shims:/usr/bin");
}

TEST(Interpreters, PyenvByVariableFileAndDefault) {
  Desk desk;
  add_pyenv(desk.system);
  EXPECT_EQ(desk.look().front().interpreter, "/usr/bin/python3"); // pyenv's default is "system"
  desk.system.add_file("/home/ada/.pyenv/version", "3.9.18\n");
  EXPECT_EQ(desk.look().front().interpreter, "/home/ada/.pyenv/versions/3.9.18/bin/python3");
  desk.system.add_file("/home/ada/project/.python-version", "3.11\n"); // the newest 3.11.x
  const auto chosen = desk.look().front();
  EXPECT_EQ(chosen.interpreter, "/home/ada/.pyenv/versions/3.11.7/bin/python3");
  EXPECT_EQ(chosen.chosen_by, "$PATH, pyenv by /home/ada/project/.python-version");
  EXPECT_EQ(chosen.kind, "pyenv");
  desk.system.set_variable("PYENV_VERSION", "3.9.18");
  EXPECT_EQ(desk.look().front().interpreter, "/home/ada/.pyenv/versions/3.9.18/bin/python3");
}

TEST(Interpreters, PyenvVersionThatIsNotInstalledOrLeadsOut) {
  Desk desk;
  add_pyenv(desk.system);
  for (const auto* version : {"3.12.1", "../../../evil", ".."}) {
    desk.system.set_variable("PYENV_VERSION", version);
    EXPECT_EQ(desk.look().front().interpreter, "/usr/bin/python3") << version;
  }
}

TEST(Interpreters, HashBangOfAProgram) {
  Desk desk;
  add_venv(desk.system);
  add_program(desk.system, "/home/ada/project/train.py",
              "#!/home/ada/tf/bin/python\nimport tensorflow\n");
  EXPECT_EQ(desk.look({.program = "train.py"}).front().interpreter, "/home/ada/tf/bin/python");
  EXPECT_EQ(desk.look({.program = "train.py"}).front().chosen_by, "shebang of train.py");
  add_program(desk.system, "/home/ada/project/train.py", "#!/usr/bin/env -S python3 -u\n");
  EXPECT_EQ(desk.look({.program = "train.py"}).front().interpreter, "/usr/bin/python3");
  desk.system.details("/home/ada/project/train.py").mode = 0644; // not started by itself
  EXPECT_EQ(desk.look({.program = "train.py"}).front().chosen_by, "$PATH");
}

TEST(Interpreters, HashBangThatLeadsNowhere) {
  Desk desk;
  add_program(desk.system, "/home/ada/project/train.py", "#!/gone/bin/python\n");
  const auto facts = collected(kInterpreters, desk.system, {.program = "train.py"});
  ASSERT_EQ(facts.problems.size(), 1U);
  EXPECT_TRUE(contains(facts.problems[0], "/gone/bin/python, which is not there"));
  EXPECT_EQ(facts.pythons.front().interpreter, "/usr/bin/python3");
}

TEST(Interpreters, BesideTheProgramAndEverywhere) {
  Desk desk;
  add_venv(desk.system, "/home/ada/project/.venv");
  add_venv(desk.system, "/home/ada/.virtualenvs/keras");
  add_python(desk.system, "/home/ada/miniconda3", "3.10");
  desk.system.add_directory("/home/ada/miniconda3/conda-meta");
  add_python(desk.system, "/home/ada/miniconda3/envs/tf");
  desk.system.add_directory("/home/ada/miniconda3/envs/tf/conda-meta");
  EXPECT_EQ(desk.look().size(), 2U);
  std::string all;
  for (const auto& python : desk.look({.all_environments = true}))
    all += python.prefix + " " + python.kind + "\n";
  EXPECT_EQ(all, "/usr system\n/home/ada/project/.venv venv\n/home/ada/miniconda3 conda\n"
                 "/home/ada/.virtualenvs/keras venv\n/home/ada/miniconda3/envs/tf conda\n");
}

TEST(Interpreters, WhatIsNoPython) {
  Desk desk;
  const std::map<std::string, std::string> wrong = {{"/bin/ls", "not a Python interpreter"},
                                                    {"/opt/python3", "which one is not known"},
                                                    {"/gone", "No such file"},
                                                    {"/opt/pipe", "is not a file"}};
  add_program(desk.system, "/bin/ls");
  add_program(desk.system, "/opt/python3", "#!/bin/sh\nexec /elsewhere/python \"$@\"\n");
  desk.system.add_fifo("/opt/pipe");
  for (const auto& [path, reason] : wrong) {
    const auto pythons = desk.look({.python = path});
    ASSERT_EQ(pythons.size(), 1U) << path;
    EXPECT_TRUE(pythons[0].selected);
    EXPECT_TRUE(contains(lower(pythons[0].problem), lower(reason))) << pythons[0].problem;
    EXPECT_TRUE(pythons[0].site_directories.empty());
  }
}

TEST(Interpreters, LoopsOfLinksEnd) {
  Desk desk;
  desk.system.add_link("/usr/local/bin/python3", "python");
  desk.system.add_link("/usr/local/bin/python", "python3");
  EXPECT_EQ(desk.look().front().interpreter, "/usr/bin/python3");
}

TEST(Interpreters, NoneAtAll) {
  Desk desk;
  desk.system.set_environment({});
  EXPECT_TRUE(desk.look().empty());
}

TEST(SiteDirectories, PythonpathUserSiteAndPathFiles) {
  Desk desk;
  desk.system.set_environment({{"PATH", "/usr/bin"}, {"PYTHONPATH", "/home/ada/lib::/gone"}});
  desk.system.add_directory("/home/ada/lib");
  desk.system.add_directory("/home/ada/project");
  const std::string user = "/home/ada/.local/lib/python3.11/site-packages";
  desk.system.add_directory(user);
  desk.system.add_directory("/opt/shared");
  desk.system.add_directory(user + "/inner");
  desk.system.add_file(user + "/extra.pth",
                       "# comment\nimport os; os.system('x')\n/opt/shared\ninner\n../missing\n");
  desk.system.add_file(user + "/.hidden.pth", "/opt/hidden\n");
  desk.system.add_directory("/opt/hidden");
  EXPECT_EQ(desk.look().front().site_directories,
            (std::vector<std::string>{"/home/ada/lib", "/home/ada/project", user, "/opt/shared",
                                      user + "/inner", "/usr/lib/python3/dist-packages"}));
  desk.system.set_environment({{"PATH", "/usr/bin"}, {"PYTHONNOUSERSITE", "1"}});
  EXPECT_EQ(desk.look().front().site_directories,
            std::vector<std::string>{"/usr/lib/python3/dist-packages"});
}

TEST(SiteDirectories, OneDirectoryUnderTwoNamesCountsOnce) {
  Desk desk;
  add_venv(desk.system);
  desk.system.add_link(kVenv + "/lib64", "lib");
  desk.system.add_file(kVenvSite + "/again.pth", kVenv + "/lib64/python3.11/site-packages\n");
  EXPECT_EQ(desk.look({.python = kVenv}).front().site_directories,
            std::vector<std::string>{kVenvSite});
}

} // namespace
} // namespace gpuwhy::test
