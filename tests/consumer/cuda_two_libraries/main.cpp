// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

int train_first();
int train_second();

int main() { return train_first() + train_second(); }
