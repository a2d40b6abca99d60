"""The paper that this project starts from: what its authors published, judged."""
